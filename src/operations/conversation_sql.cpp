#include "operations/conversation_sql.hpp"

#include <fmt/format.h>

namespace corbel {

namespace {

constexpr char kind[] = "artifact:conversation.state";

std::string quoted(const std::string &name, char quote) {
  std::string out(1, quote);
  for (char c : name) out += c == quote ? std::string(2, c) : std::string(1, c);
  return out + quote;
}

std::vector<std::string> tags(const conversation_row &row) {
  std::vector<std::string> all{kind, "conv.state:" + row.state};
  if (!row.turn.empty()) all.push_back("conv.turn:" + row.turn);
  return all;
}

}  // namespace

conversation_sql::conversation_sql(const std::string &schema)
    : name_(quoted(quoted(schema, '"') + ".conv_messages", '\'')),
      schema_(quoted(schema, '"')),
      table_(schema_ + ".conv_messages") {}

pg_statement conversation_sql::table() const {
  return pg_statement(fmt::format(R"(DO $do$ BEGIN
  IF to_regclass({0}) IS NOT NULL THEN RETURN; END IF;
  PERFORM pg_advisory_xact_lock(hashtext('corbel conv_messages'));
  CREATE SCHEMA IF NOT EXISTS {1};
  CREATE TABLE IF NOT EXISTS {2} (
    id bigserial PRIMARY KEY, user_id text NOT NULL, bundle_id text, agent_id text, conversation_id text NOT NULL,
    message_id text, role text NOT NULL, text text NOT NULL, hosted_uri text NOT NULL, ts timestamptz NOT NULL DEFAULT now(),
    ttl_days int NOT NULL DEFAULT 365, user_type text NOT NULL DEFAULT 'anonymous', tags text[] NOT NULL DEFAULT '{{}}',
    turn_id text, anchors_text text NOT NULL DEFAULT '');
  CREATE INDEX IF NOT EXISTS conv_messages_user_conversation_ts ON {2} (user_id, conversation_id, role, ts DESC);
END $do$)",
                                  name_, schema_, table_))
      .unprepared();
}

pg_statement conversation_sql::change(const conversation_row &row, conversation_guard guard) const {
  const char *only = guard == conversation_guard::none ? "true"
                     : guard == conversation_guard::free
                         ? "NOT m.tags && ARRAY['conv.state:in_progress']"
                         : "($5 = ANY (m.tags) OR NOT EXISTS (SELECT 1 FROM unnest(m.tags) t WHERE t LIKE 'conv.turn:%'))";
  return pg_statement(
      fmt::format("WITH latest AS (SELECT id, tags FROM {0} WHERE user_id = $1 AND conversation_id = $2"
                  " AND role = 'artifact' AND tags @> ARRAY['{1}'] ORDER BY ts DESC, id DESC LIMIT 1),"
                  " changed AS (UPDATE {0} m SET ts = clock_timestamp(), bundle_id = $3, tags = ARRAY(SELECT t FROM"
                  " unnest(m.tags) t WHERE t NOT LIKE 'conv.state:%' AND t NOT LIKE 'conv.turn:%' AND t <> '{1}') ||"
                  " $4::text[] WHERE m.id = (SELECT id FROM latest) AND $5::text IS NOT NULL AND {2} RETURNING 1)"
                  " SELECT EXISTS (SELECT 1 FROM changed), (SELECT tags FROM latest)",
                  table_, kind, only),
      row.user, row.conversation, row.bundle, tags(row), "conv.turn:" + row.turn);
}

pg_statement conversation_sql::change_all(const std::vector<std::pair<conversation_row, conversation_guard>> &words) const {
  std::vector<std::string> user, conversation, bundle, turn, state;
  std::vector<bool> guarded;
  for (const auto &[row, guard] : words) {
    user.push_back(row.user), conversation.push_back(row.conversation), bundle.push_back(row.bundle);
    turn.push_back(row.turn), state.push_back(row.state), guarded.push_back(guard == conversation_guard::same_turn);
  }
  return pg_statement(
      fmt::format(
          "WITH said AS (SELECT * FROM unnest($1::text[], $2::text[], $3::text[], $4::text[], $5::text[], $6::bool[])"
          " WITH ORDINALITY s (of_user, conversation, bundle, turn, state, guarded, n)),"
          " latest AS (SELECT s.n, (SELECT m.id FROM {0} m WHERE m.user_id = s.of_user AND m.conversation_id ="
          " s.conversation AND m.role = 'artifact' AND m.tags @> ARRAY['{1}'] ORDER BY m.ts DESC, m.id DESC LIMIT 1) AS id"
          " FROM said s), changed AS (UPDATE {0} m SET ts = clock_timestamp(), bundle_id = s.bundle, tags ="
          " ARRAY(SELECT t FROM unnest(m.tags) t WHERE t NOT LIKE 'conv.state:%' AND t NOT LIKE 'conv.turn:%' AND t <> "
          "'{1}')"
          " || ARRAY['{1}', 'conv.state:' || s.state] || CASE s.turn WHEN '' THEN '{{}}' ELSE ARRAY['conv.turn:' || s.turn]"
          " END FROM said s JOIN latest l ON l.n = s.n WHERE m.id = l.id AND (NOT s.guarded OR 'conv.turn:' || s.turn ="
          " ANY (m.tags) OR NOT EXISTS (SELECT 1 FROM unnest(m.tags) t WHERE t LIKE 'conv.turn:%')))"
          " SELECT n FROM latest WHERE id IS NULL",
          table_, kind),
      user, conversation, bundle, turn, state, guarded);
}

pg_statement conversation_sql::insert(const conversation_row &row) const {
  return pg_statement(
      fmt::format("INSERT INTO {} (user_id, conversation_id, role, text, hosted_uri, bundle_id, ts, ttl_days,"
                  " user_type, tags) VALUES ($1, $2, 'artifact', '', '', $3, clock_timestamp(), 3650,"
                  " 'system', $4::text[])",
                  table_),
      row.user, row.conversation, row.bundle, tags(row));
}

pg_statement conversation_sql::lock(const conversation_row &row) const {
  return pg_statement("SELECT pg_advisory_xact_lock(hashtextextended($1, 1))",
                      table_ + ' ' + row.user + ' ' + row.conversation);
}

}  // namespace corbel
