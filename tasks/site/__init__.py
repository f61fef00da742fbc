"""The catalogue site: every table, version, row and method as pages in a folder, which needs no server and no network.

`facts` and `trails` read the lake in few questions, each for every version at once; `pages` writes what they found.
Whatever stands in a row is text in a page: templates escape it, scripts put it in as text, and a policy in each page
lets nothing run but the scripts that lie in the site's own `assets`.
"""

from tasks.site.building import MARK, Wish, build
from tasks.site.serving import Server

__all__ = ["MARK", "Server", "Wish", "build"]
