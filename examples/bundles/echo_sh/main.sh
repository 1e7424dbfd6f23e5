# A bundle's handler in the shell: answers with what it was told, and counts that for whoever scrapes it. JSON is taken apart
# by sed: each member stands as "name": value, and texts go back as they came, still quoted.
turns=0
echo '{"ready": true}'
while read -r line; do
  id=$(printf '%s' "$line" | sed -n 's/^{"id": \([0-9]*\).*/\1/p')
  case "$line" in
    '{"cancel": '*) continue ;;
    *'"operation": "metrics"'*)
      body="# TYPE echo_turns_total counter\necho_turns_total $turns\n"
      printf '{"id": %s, "result": {"content_type": "text/plain; version=0.0.4", "body": "%s"}}\n' "$id" "$body" ;;
    *'"kind": "operation"'*)
      printf '{"id": %s, "error": {"message": "there is only metrics", "class": "LookupError"}}\n' "$id" ;;
    *)
      turns=$((turns + 1))
      text=$(printf '%s' "$line" | sed -n 's/.*"text": \("\([^"\\]\|\\.\)*"\), "events": .*/\1/p')
      printf '{"id": %s, "event": {"step": "echo", "data": {"turn": %s}}}\n' "$id" "$turns"
      printf '{"id": %s, "result": {"final_answer": %s}}\n' "$id" "${text:-\"\"}" ;;
  esac
done
