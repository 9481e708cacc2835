"""What the pages of claims, bets and terms share: a directive whose place is filled when all pages have been read."""

from docutils import nodes
from docutils.parsers.rst import directives
from sphinx.util.docutils import SphinxDirective


class Place(nodes.General, nodes.Element):
    """Where something goes that is known only when all pages have been read."""


def found(env, name):
    """What `collect` found for this directive: page to result."""
    if not hasattr(env, "found"):
        env.found = {}
    return env.found.setdefault(name, {})


def register(app, name, collect, fill, flags=()):
    """Add a directive.

    Args:
        app: Sphinx's.
        name: of the directive.
        collect: `(app, doctree) ->` what this page has, or nothing; kept in `found(env, name)`.
        fill: `(app, docname, flags) ->` nodes for the place of the directive on this page.
        flags: names of options without a value.
    """

    class Directive(SphinxDirective):
        option_spec = dict.fromkeys(flags, directives.flag)

        def run(self):
            found(self.env, "pages")[name] = self.env.docname
            return [Place(directive=name, flags=list(self.options))]

    def read(app, doctree):
        result = collect(app, doctree)
        if result:
            found(app.env, name)[app.env.docname] = result

    def put(app, doctree, docname):
        for place in [place for place in doctree.findall(Place) if place["directive"] == name]:
            place.replace_self(fill(app, docname, place["flags"]))

    app.add_node(Place, override=True)
    app.add_directive(name, Directive)
    app.connect("env-purge-doc", lambda app, env, docname: found(env, name).pop(docname, None))
    app.connect("doctree-read", read)
    app.connect("doctree-resolved", put)


def table(name, columns, rows):
    """A table of this class: columns from title to width, and rows of nodes or strings."""
    group = nodes.tgroup("", *(nodes.colspec(colwidth=width) for width in columns.values()), cols=len(columns))
    group += nodes.thead("", row(columns))
    group += nodes.tbody("", *map(row, rows))
    return nodes.table("", group, classes=[name])


def row(cells):
    cells = [nodes.Text(cell) if isinstance(cell, str) else cell for cell in cells]
    return nodes.row("", *(nodes.entry("", nodes.paragraph("", "", cell)) for cell in cells))


def link(app, docname, page, anchor=""):
    """A link from one page to another, with the other's title."""
    uri = app.builder.get_relative_uri(docname, page) + (f"#{anchor}" if anchor else "")
    return nodes.reference("", app.env.titles[page].astext(), refuri=uri, internal=True)
