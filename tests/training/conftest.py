"""The small task and its recipes."""

from ..small_tasks import one_thread as one_thread
from ..small_tasks import small as small
from ..small_tasks import task_for as task_for
