#pragma once
/// The statements on a conversation's state row. Pure; any thread.
///
/// The platform keeps the state of a conversation in its table conv_messages, in a row of role "artifact" with the tags
/// "artifact:conversation.state", "conv.state:<idle|in_progress|error>" and, once there was a turn, "conv.turn:<turn>". Of
/// several such rows the latest counts.

#include <corbel/pg_statement.hpp>

#include <string>
#include <utility>
#include <vector>

namespace corbel {

struct conversation_row {
  std::string user, conversation, bundle, turn;
  std::string state;  ///< "idle", "in_progress", "error"
};

/// On which rows a change is made.
enum class conversation_guard {
  none,      ///< any
  free,      ///< not in progress
  same_turn  ///< of this turn, or of none
};

class conversation_sql {
 public:
  /// schema: see request_table::schema.
  explicit conversation_sql(const std::string &schema);

  /// Makes the table where there is none: with the platform's columns but those of its search (embedding, search_tsv).
  pg_statement table() const;
  /// One row: whether it was changed; the tags as they were before, NULL when there was no row.
  pg_statement change(const conversation_row &row, conversation_guard guard) const;
  /// Many rows, each of another conversation, with its guard: none or same_turn. As many rows as conversations that have
  /// none: the place of each in `words`, from 1; nothing was done for those.
  pg_statement change_all(const std::vector<std::pair<conversation_row, conversation_guard>> &words) const;
  pg_statement insert(const conversation_row &row) const;
  /// In a transaction: waits for others that make the row of this conversation.
  pg_statement lock(const conversation_row &row) const;

 private:
  std::string name_, schema_, table_;
};

}  // namespace corbel
