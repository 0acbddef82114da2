"""What listens, but ends its process at a file that is called deadly, as a decoder may; where processes look for it."""

import os
import signal
from typing import Any

from emotone.cluster import listening


class Deadly(listening._Listening):
    def _said(self, recogniser: Any, recordings: Any) -> Any:
        if any("deadly" in str(one.source) for parts in recordings for one in parts):
            os.kill(os.getpid(), signal.SIGKILL)
        return super()._said(recogniser, recordings)
