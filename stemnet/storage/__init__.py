"""Files that leave stemnet and come back: tables of columns, the result file, logs of a batch."""

from stemnet.storage.result_file import Result, is_result, read_result, write_result
from stemnet.storage.tables import read_columns_csv, read_rows, write_columns_csv, write_rows, write_summary
from stemnet.storage.text import json_text, write_metrics
from stemnet.storage.xyz import write_columns_xyz

__all__ = [
    "Result",
    "is_result",
    "json_text",
    "read_columns_csv",
    "read_result",
    "read_rows",
    "write_columns_csv",
    "write_columns_xyz",
    "write_metrics",
    "write_result",
    "write_rows",
    "write_summary",
]
