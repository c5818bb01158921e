"""All stages in one go (`run`), ending in one picture of the result (`picture`)."""
