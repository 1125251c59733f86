"""The scripts of a page, all named in its head: else a browser finds them level by level, each a round trip later."""

import functools
import re
from pathlib import Path
from posixpath import dirname, join, normpath

from django import template
from django.contrib.staticfiles import finders
from django.templatetags.static import static
from django.utils.html import format_html_join
from django.utils.safestring import SafeString

register = template.Library()

IMPORT = re.compile(r'\bfrom "(\.[^"]+)"')


@register.simple_tag
def preload(module: str) -> SafeString:
    """Have the browser fetch a module of ours, and all that it imports, at once."""
    links = ((static(name),) for name in find_modules(module))
    return format_html_join("\n  ", '<link rel="modulepreload" href="{}">', links)


@functools.cache
def find_modules(module: str) -> tuple[str, ...]:
    """A module and all that it imports, as paths below the static files."""
    found = [module]
    for name in found:
        text = Path(finders.find(name) or "").read_text(encoding="utf-8")
        imports = (normpath(join(dirname(name), path)) for path in IMPORT.findall(text))
        found += [path for path in dict.fromkeys(imports) if path not in found]
    return tuple(found)
