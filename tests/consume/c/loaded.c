/* The C library through dlopen: argv[1] is the library; no header of ours, only names. */
#include <dlfcn.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

typedef uint32_t (*version_fn)(void);
typedef int32_t (*init_fn)(void *options, const char *type, size_t size);
typedef int32_t (*open_fn)(const void *options, void **out, void **err);
typedef int32_t (*shutdown_fn)(void *rt, int64_t timeout_ms, void **err);
typedef void (*free_fn)(void *handle);

static void *library;

static void *find(const char *name) {
  void *symbol = dlsym(library, name);
  if (!symbol) printf("no %s: %s\n", name, dlerror());
  return symbol;
}

int main(int argc, char **argv) {
  if (argc != 2 || !(library = dlopen(argv[1], RTLD_NOW | RTLD_LOCAL))) {
    printf("%s\n", dlerror());
    return 2;
  }
  version_fn version;
  init_fn init;
  open_fn open_runtime;
  shutdown_fn shut_down;
  free_fn free_runtime;
  *(void **)&version = find("corbel_version");
  *(void **)&init = find("corbel_options_init");
  *(void **)&open_runtime = find("corbel_runtime_open");
  *(void **)&shut_down = find("corbel_runtime_shutdown");
  *(void **)&free_runtime = find("corbel_runtime_free");
  if (!version || !init || !open_runtime || !shut_down || !free_runtime) return 3;
  uint64_t options[8];
  void *rt = NULL;
  if (init(options, "runtime_options", 56) != 0 || open_runtime(options, &rt, NULL) != 0) return 4;
  if (shut_down(rt, 1000, NULL) != 0) return 5;
  free_runtime(rt);
  printf("version %08x\n", (unsigned)version());
  dlclose(library); /* stays loaded: its threads may still be on their way out */
  return 0;
}
