#include "word_count_turn.hpp"

#include "json/writer.hpp"
#include "operations/chat_event.hpp"

std::vector<corbel::relay_message> word_count_events(const corbel::chat_task &task, const word_count &counted) {
  std::string progress, answer, data;
  corbel::json_writer(progress).begin_object().member("task_id", task.task_id).member("words", counted.words).end_object();
  for (auto &[word, count] : counted.top) answer += (answer.empty() ? "" : ", ") + word + " " + std::to_string(count);
  corbel::json_writer w(data);
  w.begin_object().member("task_id", task.task_id).member("event_id", task.event_id).member("final_answer", answer);
  w.member("words", counted.words).member("distinct", counted.distinct).key("top").begin_array();
  for (auto &[word, count] : counted.top) w.begin_array().value(word).value(count).end_array();
  w.end_array().end_object();
  return {
      corbel::chat_event(task, {.type = "chat.start", .status = "started", .title = "Started"}),
      corbel::chat_event(task, {.step = "count_words", .status = "completed", .title = "Counted words", .data = progress}),
      corbel::chat_event(task, {.type = "chat.complete", .status = "completed", .title = "Done", .data = data})};
}
