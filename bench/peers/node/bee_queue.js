'use strict';
// bee-queue as it is best at the bench's rows: no events, no jobs kept, neither in the process nor on the server.
const Queue = require('bee-queue');

exports.version = require('bee-queue/package.json').version;

exports.open = async ({port, works}) => {
  const queue = new Queue('bench', {
    redis: {host: '127.0.0.1', port},
    isWorker: works,
    getEvents: false,
    sendEvents: false,
    storeJobs: false,
    removeOnSuccess: true,
    removeOnFailure: true,
  });
  await queue.ready();
  return {
    put: (body) => queue.createJob(body).save(),
    putAll: async (bodies) => {
      const failed = await queue.saveAll(bodies.map((body) => queue.createJob(body)));
      if (failed.size) throw failed.values().next().value;
    },
    work: async (concurrency, handler) => queue.process(concurrency, async (job) => handler(job.data)),
    close: () => queue.close(100),
  };
};
