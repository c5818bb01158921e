"""The whole job in one go (`run`), ending in one picture (`picture`). No stage lives here."""
