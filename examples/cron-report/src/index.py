import json
import os
import platform
import time

STARTED = time.time()
RUNS = 0


def main_handler(event, context):
    """Reports on each tick how late it came and how the instance is doing."""
    global RUNS
    RUNS += 1
    due = time.mktime(time.strptime(event["Time"], "%Y-%m-%dT%H:%M:%SZ")) - time.timezone
    report = {
        "report": event["Message"] or "status",
        "tick": event["Time"],
        "lateSeconds": round(time.time() - due, 3),
        "runsOfThisInstance": RUNS,
        "ageOfThisInstanceSeconds": round(time.time() - STARTED, 3),
        "python": platform.python_version(),
        "function": os.environ.get("SCF_FUNCTIONNAME", ""),
    }
    print(json.dumps(report))
    return report
