"""A bundle's handler: counts words. It takes requests line by line and may work several at once; each answer is one line."""
import collections
import concurrent.futures
import json
import re
import sys
import threading

WORD = re.compile(r"[0-9A-Za-z'\u0080-\U0010ffff]+")
lock = threading.Lock()


def say(**line):
    with lock:
        print(json.dumps(line), flush=True)


def count(text):
    words = WORD.findall(text.lower())
    top = sorted(collections.Counter(words).items(), key=lambda entry: (-entry[1], entry[0]))
    answer = ", ".join(f"{word} {number}" for word, number in top[:5])
    return {"final_answer": answer, "words": len(words), "distinct": len(top), "top": top[:5]}


def work(request):
    task = request["task"]
    try:
        if request["kind"] == "operation":
            if task["operation"] != "count":
                raise LookupError(f"there is no operation {task['operation']!r}; there is count")
            return say(id=request["id"], result=count(task["data"].get("text", "")))
        counted = count(task["text"])
        say(id=request["id"], event={"step": "count_words", "status": "completed", "title": "Counted words",
                                     "data": {"words": counted["words"]}})
        say(id=request["id"], result=counted, economics={"words": counted["words"]})
    except Exception as problem:
        say(id=request["id"], error={"message": str(problem), "class": type(problem).__name__})


with concurrent.futures.ThreadPoolExecutor(4) as pool:
    say(ready=True)
    for line in sys.stdin:
        request = json.loads(line)
        if "id" in request:
            pool.submit(work, request)
