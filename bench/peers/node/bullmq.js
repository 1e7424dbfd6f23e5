'use strict';
// BullMQ as it is best at the bench's rows: one queue, one worker, jobs removed once they are done.
const {Queue, Worker} = require('bullmq');

exports.version = require('bullmq/package.json').version;

exports.open = async ({port}) => {
  const connection = {host: '127.0.0.1', port, maxRetriesPerRequest: null};
  const queue = new Queue('bench', {
    connection,
    streams: {events: {maxLen: 100}},
    defaultJobOptions: {removeOnComplete: true, removeOnFail: true},
  });
  await queue.waitUntilReady();
  let worker = null;
  return {
    put: (body) => queue.add('job', body),
    putAll: (bodies) => queue.addBulk(bodies.map((data) => ({name: 'job', data}))),
    work: async (concurrency, handler) => {
      worker = new Worker('bench', async (job) => handler(job.data), {connection, concurrency});
      await worker.waitUntilReady();
    },
    close: async () => {
      if (worker) await worker.close();
      await queue.close();
    },
  };
};
