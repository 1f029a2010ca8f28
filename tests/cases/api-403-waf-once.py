"""A firewall blocks the first request that has a token (a page, 403), then lets all pass."""

from raw import answer, owner, token


def login(_, state):
    state.blocked = False
    return token(state)


def api(request, state):
    if request.bearer is None or state.blocked:
        return owner()
    state.blocked = True
    return answer(403, "<html><title>Attention required</title></html>", "Server: edge",
                  content_type="text/html; charset=UTF-8")
