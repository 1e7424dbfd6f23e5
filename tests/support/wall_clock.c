/* Preloaded into a process, shifts its wall clock by as many seconds as stand in a file (eight bytes, in the machine's
 * order) that CORBEL_TEST_CLOCK names, at every call; the steady clock is left alone. libfaketime would do, but Debian's
 * redis-server does not start under it: its allocator asks for the time before a library can be initialised. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdint.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <sys/time.h>
#include <time.h>
#include <unistd.h>

static int64_t ahead(void) {
  static const volatile int64_t none = 0;
  static const volatile int64_t *shift = NULL; /* set more than once to the same file by threads that race: no harm */
  if (shift == NULL) {
    const char *path = getenv("CORBEL_TEST_CLOCK");
    int fd = path == NULL ? -1 : open(path, O_RDONLY | O_CLOEXEC);
    void *at = fd < 0 ? MAP_FAILED : mmap(NULL, sizeof(int64_t), PROT_READ, MAP_SHARED, fd, 0);
    if (fd >= 0) close(fd);
    shift = at == MAP_FAILED ? &none : at;
  }
  return *shift;
}

int clock_gettime(clockid_t clock, struct timespec *t) {
  int r = (int)syscall(SYS_clock_gettime, clock, t);
  if (r == 0 && (clock == CLOCK_REALTIME || clock == CLOCK_REALTIME_COARSE)) t->tv_sec += ahead();
  return r;
}

int gettimeofday(struct timeval *restrict t, void *restrict zone) {
  struct timespec now;
  (void)zone;
  clock_gettime(CLOCK_REALTIME, &now);
  t->tv_sec = now.tv_sec;
  t->tv_usec = now.tv_nsec / 1000;
  return 0;
}

time_t time(time_t *out) {
  struct timespec now;
  clock_gettime(CLOCK_REALTIME, &now);
  if (out != NULL) *out = now.tv_sec;
  return now.tv_sec;
}
