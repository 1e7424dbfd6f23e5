-- Publishes a message and keeps it for readers that are away for a moment.
--   KEYS   list of the channel's recent messages
--   ARGV   channel, message, how many are kept, for how many ms
--   reply  how many subscribers were told
-- Before: any state. After: the message is the list's last element. Run twice it is told and kept twice: readers know it by
-- its id.
redis.call('RPUSH', KEYS[1], ARGV[2])
redis.call('LTRIM', KEYS[1], -ARGV[3], -1)
redis.call('PEXPIRE', KEYS[1], ARGV[4])
return redis.call('PUBLISH', ARGV[1], ARGV[2])
