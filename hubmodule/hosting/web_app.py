"""The web application of a hub: pages for people, and the protocol of tensorflow_hub.

    /                                                    the front page
    /index.json                                          what the hub has
    /search.json                                         the texts that the front page searches
    /<publisher>/<name>                                  redirects to the newest version
    /<publisher>/<name>/<version>                        the page of a version
    …?tf-hub-format=compressed                           its archive
    …?tf-hub-format=uncompressed                         says where it is unpacked, on gs://
    /<publisher>/<name>/<version>/module.tar.gz          its archive, as in the directory
    /<publisher>/<name>/<version>/*.png, ...             pictures that its page shows
    /static/…                                            the stylesheet and the script
    /healthz                                             whether the hub can be read

It only reads. Names that are not names of modules do not reach the file system.
"""

from __future__ import annotations

import contextlib
import json
import logging
import mimetypes
import posixpath
from collections.abc import AsyncIterator, Callable, Mapping
from typing import Any, Protocol

import anyio
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from hubmodule._plain_errors import HandleNotFoundError, HubError, InvalidHandleError
from hubmodule.hosting import names, pictures
from hubmodule.hosting.archive_responses import answer_archive
from hubmodule.hosting.contents import Content, ContentCache
from hubmodule.hosting.file_sending import FileSender, SendingThread
from hubmodule.hosting.hub_directory import HubDirectory
from hubmodule.hosting.hub_index import HubIndex
from hubmodule.hosting.names import ModuleName, is_version
from hubmodule.hosting.request_guard import RequestGuard
from hubmodule.hosting.search_index import make_search_index

logger = logging.getLogger("hubmodule")

_MOST_KEPT = 32 << 20  # bytes of pages
_FORMAT = "tf-hub-format"
_NOT_FOUND = "There is no such module or version in this hub"


class Pages(Protocol):
    """Makes the pages; the module hubmodule.hosting.page_renderer does."""

    def render_front_page(self, index: dict[str, Any]) -> str:
        """Returns the HTML of the front page."""

    def render_module_page(
        self,
        hub: HubDirectory,
        name: ModuleName,
        version: int,
        base_url: str,
        index: Mapping[str, Any],
    ) -> str:
        """Returns the HTML of the page of a version."""

    def render_message_page(self, title: str, message: str, root: str) -> str:
        """Returns the HTML of a page with a message, e.g. that there is no such module."""

    def list_static_files(self) -> Mapping[str, bytes]:
        """Returns the files that pages need, by their paths, e.g. "static/hub.css"."""


def make_app(
    hub: HubDirectory, pages: Pages, index: HubIndex | None = None, prefix: str = ""
) -> ASGIApp:
    """Makes the application of a hub.

    Args:
        hub: The hub.
        pages: Makes its pages.
        index: The index of the hub; None makes one.
        prefix: The path at which clients find the hub, if a proxy removes it from the addresses
            of requests, e.g. "/hub".
    """
    views = _Views(hub, pages, index or HubIndex(hub), prefix)
    version = "/{publisher}/{name}/{version}"
    app = Starlette(
        routes=[
            Route("/", views.show_front_page),
            Route("/index.json", views.show_index),
            Route("/search.json", views.show_search_index),
            Route("/healthz", views.show_health),
            Route("/static/{file:path}", views.send_static_file),
            Route("/{publisher}/{name}", views.redirect_to_newest),
            Route("/{publisher}/{name}/", views.redirect_to_newest),
            Route(version, views.show_version),
            Route(f"{version}/", views.redirect_to_version),
            Route(f"{version}/{names.ARCHIVE}", views.send_archive),
            Route(f"{version}/{names.FACTS}", views.send_facts),
            Route(f"{version}/{{picture:path}}", views.send_picture),
        ],
        exception_handlers={
            HandleNotFoundError: views.answer_not_found,
            InvalidHandleError: views.answer_not_found,
            404: views.answer_not_found,
            HubError: _answer_damaged,
            OSError: _answer_damaged,
        },
        lifespan=views.run_thread,
    )
    app.router.redirect_slashes = False
    return RequestGuard(app)


class _Views:
    """Answers the requests. Starlette calls them in threads, as they read files."""

    def __init__(self, hub: HubDirectory, pages: Pages, index: HubIndex, prefix: str) -> None:
        self._hub = hub
        self._pages = pages
        self._prefix = prefix
        self._index = index
        self._static = {
            path: Content(content, mimetypes.guess_type(path)[0] or "application/octet-stream")
            for path, content in pages.list_static_files().items()
        }
        self._cache = ContentCache(_MOST_KEPT)
        self._thread = SendingThread()
        # More would compete with downloads for the interpreter.
        self._one_page = anyio.CapacityLimiter(1)
        # It reads the facts of all modules, for which pages do not wait.
        self._one_search_index = anyio.CapacityLimiter(1)

    @contextlib.asynccontextmanager
    async def run_thread(self, app: Starlette) -> AsyncIterator[None]:
        """Runs the thread that sends archives, as long as the server runs."""
        with self._thread:
            yield

    async def show_front_page(self, request: Request) -> Response:
        """Answers with the front page."""

        def make(index: dict[str, Any]) -> bytes:
            return self._pages.render_front_page(index).encode()

        return await self._answer_made(request, "text/html", make, self._one_page)

    async def show_index(self, request: Request) -> Response:
        """Answers with index.json."""

        def make(index: dict[str, Any]) -> bytes:
            return json.dumps(index).encode()

        return await self._answer_made(request, "application/json", make, self._one_page)

    async def show_search_index(self, request: Request) -> Response:
        """Answers with the texts that the script of the front page searches."""

        def make(index: dict[str, Any]) -> bytes:
            return json.dumps(make_search_index(self._hub, index)).encode()

        return await self._answer_made(request, "application/json", make, self._one_search_index)

    def show_health(self, request: Request) -> Response:
        """Answers whether the hub can be read."""
        try:
            self._hub.check_readable()
        except HandleNotFoundError as error:
            return _answer_damaged(request, error)
        return PlainTextResponse("ok\n", headers={"Cache-Control": "no-store"})

    def send_static_file(self, request: Request) -> Response:
        """Answers with a file that the pages need."""
        content = self._static.get(request.url.path.removeprefix("/"))
        if content is None:
            raise HTTPException(404)
        return content.answer(request)

    def redirect_to_newest(self, request: Request) -> Response:
        """Redirects to the newest version of a module."""
        name = _get_name(request)
        versions = self._hub.list_versions(name)
        if not versions:
            raise HandleNotFoundError(f"There is no {name} in this hub.")
        return _redirect(request, f"{name}/{versions[-1]}")

    def redirect_to_version(self, request: Request) -> Response:
        """Redirects to the address without the slash at its end, from which pages link."""
        return _redirect(request, f"{_get_name(request)}/{_get_version(request)}")

    async def show_version(self, request: Request) -> Response | FileSender:
        """Answers with the page of a version, or what tf-hub-format asks for."""
        wanted = request.query_params.get(_FORMAT)
        if wanted is None:
            return await self._show_page(request)
        answers: dict[str, Callable[[Request], Response | FileSender]]
        answers = {"compressed": self.send_archive, "uncompressed": self.tell_unpacked}
        if wanted not in answers:
            raise HTTPException(400, f"{_FORMAT} is compressed or uncompressed.")
        return await anyio.to_thread.run_sync(answers[wanted], request)

    def send_archive(self, request: Request) -> Response | FileSender:
        """Answers with the archive of a version."""
        name, version = _get_name(request), _get_version(request)
        return answer_archive(request, self._hub, name, version, self._thread)

    def send_facts(self, request: Request) -> Response:
        """Answers with facts.json of a version."""
        facts = self._hub.read_facts(_get_name(request), _get_version(request))
        return Content(json.dumps(facts).encode(), "application/json").answer(request)

    def send_picture(self, request: Request) -> Response:
        """Answers with a picture that the page of a version shows."""
        picture = request.path_params["picture"]
        path = self._hub.picture_path(_get_name(request), _get_version(request), picture)
        if path is None:
            raise HTTPException(404)
        suffix = posixpath.splitext(picture)[1].lower()
        content = self._hub.file_system.read(path)
        return Content(content, pictures.PICTURE_TYPES[suffix]).answer(request)

    def tell_unpacked(self, request: Request) -> Response:
        """Answers where a version is unpacked, if clients can read it there."""
        name, version = _get_name(request), _get_version(request)
        self._hub.read_facts(name, version)
        path = self._hub.unpacked_path(name, version)
        if path is None or "://" not in path:
            raise HTTPException(
                406,
                "This hub has archives only: it is not on gs://, where modules can be read in "
                "place. Use TFHUB_MODEL_LOAD_FORMAT=COMPRESSED, which is the default.",
            )
        return PlainTextResponse(path, status_code=303)

    def answer_not_found(self, request: Request, error: Exception) -> Response:
        """Answers that there is no such module: with a page for browsers."""
        # The error names the directory of the hub, which is not for everybody.
        if "text/html" not in request.headers.get("accept", ""):
            return PlainTextResponse(f"{_NOT_FOUND}; /index.json lists what it has.\n", 404)
        html = self._pages.render_message_page(
            "No such module", f"{_NOT_FOUND}.", _find_root(request)
        )
        return HTMLResponse(html, 404)

    async def _show_page(self, request: Request) -> Response:
        name, version = _get_name(request), _get_version(request)
        host = request.headers.get("host", "localhost")
        base_url = f"{request.url.scheme}://{host}{self._prefix}/"

        def make(index: dict[str, Any]) -> bytes:
            html = self._pages.render_module_page(self._hub, name, version, base_url, index)
            return html.encode()

        return await self._answer_made(request, "text/html", make, self._one_page, base_url)

    async def _answer_made(
        self,
        request: Request,
        media_type: str,
        make: Callable[[dict[str, Any]], bytes],
        limiter: anyio.CapacityLimiter,
        base_url: str = "",
    ) -> Response:
        """Answers with what is made from the index, once until the index changes.

        Args:
            request: The request.
            media_type: The type of the content.
            make: Makes the content from the index.
            limiter: Says how many may be made at the same time.
            base_url: The address of the hub, if the content names it.
        """
        index = await anyio.to_thread.run_sync(self._index.read)
        # Other versions change a page, too.
        key = (index.number, request.url.path, base_url)

        def find_or_make() -> Content:
            content = self._cache.find(key)
            if content is None:
                content = Content(make(index.content), media_type)
                self._cache.add(key, content)
            return content

        # What is there does not wait for what others ask for.
        content = self._cache.find(key) or await anyio.to_thread.run_sync(
            find_or_make, limiter=limiter
        )
        return content.answer(request)


def _get_name(request: Request) -> ModuleName:
    return ModuleName(request.path_params["publisher"], request.path_params["name"])


def _redirect(request: Request, path: str) -> Response:
    """Redirects to a path of the hub."""
    # By a relative address: behind a proxy, this server knows neither the host, nor the scheme,
    # nor the path before that of the hub.
    query = f"?{request.url.query}" if request.url.query else ""
    headers = {"Cache-Control": "no-cache"}
    return RedirectResponse(f"{_find_root(request)}{path}{query}", status_code=302, headers=headers)


def _find_root(request: Request) -> str:
    """Returns the address of the hub relative to that of a request."""
    # As the client wrote it: there, "%2F" does not separate folders.
    return "../" * (request.scope["raw_path"].count(b"/") - 1)


def _get_version(request: Request) -> int:
    text = request.path_params["version"]
    if not is_version(text):
        raise HTTPException(404)
    return int(text)


def _answer_damaged(request: Request, error: Exception) -> Response:
    logger.error("%s: %s", request.url.path, error)
    return PlainTextResponse("The hub cannot be read; its log says why.\n", 500)
