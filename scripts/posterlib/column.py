"""A column of the right half: a heading, and what is written below it."""

from .draw import counted, wrap
from .tape import HEAD, INK, colours

GREY = "#5b606a"


class Column:
    def __init__(self, sheet, x, y, wide, bottom):
        self.sheet, self.x, self.y, self.wide, self.bottom = sheet, x, y, wide, bottom

    @property
    def right(self):
        return self.x + self.wide

    def head(self, role, title, note, says=""):
        self.sheet.rect(self.x, self.y, self.wide, HEAD + 2, colours(role)[0], round_=1.5)
        wide = self.sheet.text(self.right - 6, self.y + 9.8, note, 7, "m", "#fff", "end")
        self.sheet.text(self.x + 6, self.y + 10, title, 8.6, "m b", "#fff", room=self.wide - wide - 20)
        self.y += HEAD + 4
        for line in wrap(says, self.wide - 8, 7.2) if says else []:
            self.sheet.text(self.x + 4, self.y + 7, line, 7.2, fill=INK)
            self.y += 9
        self.y += 3

    def rest(self, count, what):
        if count > 0:
            self.sheet.text(self.x + 6, self.y + 7, f"… {counted(count, 'more ' + what)}", 7, "i", GREY)
            self.y += 11
