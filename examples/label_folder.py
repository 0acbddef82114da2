"""Label the recordings of a folder: python examples/label_folder.py FOLDER OUT.csv [--url URL] [--key KEY]."""

import argparse
import csv
import json
import time
import urllib.error
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

from client import Client

SUFFIXES = {".wav", ".flac", ".mp3", ".ogg", ".opus", ".m4a", ".mp4", ".webm", ".aac"}


def label(client: Client, path: Path) -> dict[str, object]:
    """Return a row; a service that is busy is asked again when it says."""
    while True:
        try:
            (answer,) = client.recognize(path, timeline="false")
        except urllib.error.HTTPError as error:
            if error.code in (429, 503):
                time.sleep(int(error.headers.get("Retry-After", 1)))
                continue
            return {"file": path, "error": json.load(error)["detail"]}
        return {"file": path, **{name: answer[name] for name in ("emotion", "confidence", "duration", "speech")}}


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("out", type=Path)
    parser.add_argument("--url", default="http://127.0.0.1:8000")
    parser.add_argument("--key")
    options = parser.parse_args()
    client = Client(options.url, options.key)
    paths = sorted(path for path in options.folder.rglob("*") if path.suffix.lower() in SUFFIXES)
    with ThreadPoolExecutor(8) as threads, options.out.open("w", newline="", encoding="utf-8") as file:
        table = csv.DictWriter(file, ["file", "emotion", "confidence", "duration", "speech", "error"])
        table.writeheader()
        for row in threads.map(lambda path: label(client, path), paths):
            table.writerow(row)
            print(row["file"], row.get("emotion", row.get("error")))


if __name__ == "__main__":
    main()
