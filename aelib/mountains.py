"""The time-lapse of a mountain: a fixed camera, the seasons, the hours, the weather, and now and then a fire.

Everything that a frame shows has a known cause. The scene (ridges, woods, rock) is drawn once, in four times the
resolution; a frame is that scene under the light of its minute: where the sun stands, how far down snow lies, what the
clouds hide. Smoke, flames and harmless oddities are laid over it last, each with its mask.
"""

from functools import cache

import numpy as np
from scipy.ndimage import gaussian_filter, map_coordinates
from sklearn.utils import Bunch

from aelib.validation import check_positive_int

SIZE = 64
ODDITIES = ("none", "fog bank", "red evening", "birds", "lens flare")
FACTOR_NAMES = ("day", "hour", "sun", "clouds", "haze", "wind")
_FINE = 4  # the scene is drawn in so many times the resolution
_CHUNK = 256  # frames rendered at once, which bounds the memory
_LATITUDE = np.deg2rad(46.0)
_NIGHT = 0.16  # how bright clouds, smoke and fog are by the moon, of their brightness by day


def _noise(rng, shape, scales, wrap=False):
    """Smooth noise of several scales (pixels, coarse to fine), each half as strong; mean 0, standard deviation 1."""
    total = np.zeros(shape)
    for i, scale in enumerate(scales):
        layer = gaussian_filter(rng.normal(size=shape), scale, mode="wrap" if wrap else "reflect")
        total += layer / layer.std() / 2**i
    return total / total.std()


def _ridge(rng, n, points, roughness):
    """A skyline through (x, y) points of the unit square, y upwards, with jagged detail; ``(n,)`` heights."""
    x = np.linspace(0, 1, n)
    line = np.interp(x, *np.transpose(points))
    detail = sum(
        gaussian_filter(rng.normal(size=n), scale, mode="nearest") * np.sqrt(scale) * weight
        for scale, weight in ((n / 20, 1.0), (n / 50, 0.7), (n / 150, 0.35))
    )
    return line + roughness * detail


def _shrunk(fine):
    """The mean of every block of fine pixels."""
    side = fine.shape[0] // _FINE
    return fine.reshape(side, _FINE, side, _FINE, *fine.shape[2:]).mean(axis=(1, 3))


@cache
def scene():
    """What never changes: where sky, range, mountain and woods are, their colours, and how their slopes face."""
    rng, n = np.random.default_rng(7), SIZE * _FINE
    x, y = np.meshgrid(np.linspace(0, 1, n), np.linspace(1, 0, n))
    far = _ridge(rng, n, [(0, 0.5), (0.2, 0.56), (0.45, 0.48), (0.75, 0.6), (1, 0.52)], 0.012)
    near = _ridge(
        rng, n, [(0, 0.4), (0.16, 0.5), (0.38, 0.86), (0.5, 0.72), (0.66, 0.62), (0.85, 0.47), (1, 0.44)], 0.02
    )
    hills = _ridge(rng, n, [(0, 0.3), (0.25, 0.24), (0.6, 0.27), (1, 0.36)], 0.008)
    meadow = _ridge(rng, n, [(0, 0.07), (0.4, 0.1), (0.75, 0.06), (1, 0.04)], 0.003)
    trees = 0.012 * np.abs(_noise(rng, (n,), (3, 1)))  # tips
    masks = {"far": y < far, "near": y < near, "hills": y < hills + trees, "meadow": y < meadow}

    # Slopes: gullies run down from the ridge, so noise is stretched along the fall line.
    crest = x[0][np.argmax(near)]
    down = (x - crest) * 1.2 + 0.25 * np.sign(x - crest) * (0.86 - y)
    gullies = map_coordinates(_noise(rng, (n, n), (14, 7, 3)), [40 + y * n * 0.35, (down % 1) * (n - 1)], mode="wrap")
    rough = _noise(rng, (n, n), (6, 3, 1.5))
    relief = 1.6 * gullies + 0.5 * rough
    tilt_x = np.gradient(relief, axis=1) * 2.2 + 0.9 * np.tanh((x - crest) * 5)
    tilt_y = -np.gradient(relief, axis=0) * 1.2 + 0.45
    normal = np.stack([tilt_x, tilt_y, np.ones_like(x)], axis=-1)  # right, up, towards the camera
    wood = _noise(rng, (n, n), (2.5, 1.2))
    soft = np.stack([0.25 * wood + 0.2 * np.sin(9 * x), 0.5 + 0.15 * wood, np.ones_like(x)], axis=-1)
    normal = np.where(masks["hills"][..., None], soft, normal)
    normal /= np.linalg.norm(normal, axis=-1, keepdims=True)

    speckle = (1 + 0.12 * rough)[..., None]
    rock = np.array([0.42, 0.39, 0.37]) * speckle
    edge = 0.42 + 0.05 * gullies  # the tree line on the mountain
    woods_on_rock = 1 / (1 + np.exp((y - edge) / 0.012))
    clump = (1 + 0.25 * wood)[..., None]
    return Bunch(
        covered={name: _shrunk(mask.astype(float)) for name, mask in masks.items()},
        normal=_shrunk(normal),
        rock=_shrunk(rock),
        clump=_shrunk(clump),
        larches=_shrunk(1 / (1 + np.exp(-4 * (_noise(rng, (n, n), (9, 4)) - 0.3)))),  # they turn yellow
        wooded=_shrunk(np.where(masks["hills"], 1.0, woods_on_rock)),
        height=_shrunk(y + 0.02 * gullies + 0.012 * rough),
        x=_shrunk(x),
        y=_shrunk(y),
        distance=_shrunk(np.select([masks["meadow"], masks["hills"], masks["near"]], [0.05, 0.2, 0.55], 1.0)),
        sky_noise=_noise(rng, (128, 256), (14, 7, 3.5), wrap=True),
    )


def make_mountains(n_frames=1008, random_state=0, start_day=None, minutes_per_frame=10, fires=(), oddity_rate=0.0):
    """Frames of a fixed camera that looks at a mountain, 64x64 pixels in colour, with known causes.

    Args:
        n_frames: how many.
        random_state: seed; the same seed gives the same frames. The mountain is always the same.
        start_day: day of the year, 0 to 365, at whose midnight the time-lapse begins; the weather then changes slowly
            from frame to frame. ``None`` draws each frame from any minute of the year, with its own weather.
        minutes_per_frame: of a time-lapse.
        fires: numbers of the frames in which a fire breaks out somewhere in the woods; each burns for six hours.
            Needs a time-lapse.
        oddity_rate: share of frames with a harmless oddity: a fog bank, a red evening, birds, a lens flare.

    Returns:
        A scikit-learn ``Bunch``:

        - ``images``: float32 ``(n, 64, 64, 3)`` in [0, 1];
        - ``factors``: float32 ``(n, 6)``, in the order of ``factor_names``: day of the year, hour, sun (its height in
          degrees), clouds (share of the sky), haze (0 to 1), wind (negative to the left, about -1 to 1);
        - ``oddity``: int64 ``(n,)``, an index into ``oddities``; 0 is none;
        - ``minutes_burning``: float32 ``(n,)``, since the last fire broke out, -1 where nothing burns;
        - ``mask``: int8 ``(n, 64, 64)``: 1 where smoke, 2 where flames, 3 where an oddity changes the frame visibly.

    Example:
        >>> calm = aelib.make_mountains(2000)  # any weather of the year, nothing burns
        >>> day = aelib.make_mountains(144, start_day=200, fires=[84])  # a fire at two in the afternoon
    """
    n_frames = check_positive_int(n_frames, "n_frames")
    check_positive_int(minutes_per_frame, "minutes_per_frame")
    fires = np.asarray(fires, dtype=int)
    if len(fires) and start_day is None:
        raise ValueError("fires: expected none without start_day, because a fire needs a time-lapse")
    if len(fires) and not (fires.min() >= 0 and fires.max() < n_frames):
        raise ValueError(f"fires: expected numbers of frames from 0 to {n_frames - 1}, got {fires.tolist()}")
    if not 0 <= oddity_rate <= 1:
        raise ValueError(f"oddity_rate: expected a share from 0 to 1, got {oddity_rate!r}")
    rng = np.random.default_rng(random_state)
    factors = _weather(rng, n_frames, start_day, minutes_per_frame)
    oddity = np.where(rng.random(n_frames) < oddity_rate, rng.integers(1, len(ODDITIES), n_frames), 0)
    factors[oddity == 2] = _evening(rng, factors[oddity == 2])
    drift = np.cumsum(factors[:, 5]) * 0.6 if start_day is not None else rng.uniform(0, 256, n_frames)
    burning, plumes = _fires(rng, fires, n_frames, minutes_per_frame)
    images = np.empty((n_frames, SIZE, SIZE, 3), "float32")
    mask = np.zeros((n_frames, SIZE, SIZE), "int8")
    for start in range(0, n_frames, _CHUNK):
        chunk = slice(start, start + _CHUNK)
        frames, light = _landscape(factors[chunk], drift[chunk])
        for i in np.flatnonzero(oddity[chunk]):
            frames[i], changed = _ODD[oddity[start + i]](rng, frames[i], light[i], factors[start + i])
            mask[start + i][changed] = 3
        for i in np.flatnonzero(burning[chunk] >= 0):
            frames[i], smoke, flames = _burning(rng, frames[i], light[i], factors[start + i], plumes[start + i])
            mask[start + i][smoke], mask[start + i][flames] = 1, 2
        images[chunk] = _photographed(rng, frames, light)
    return Bunch(
        images=images,
        factors=factors.astype("float32"),
        factor_names=FACTOR_NAMES,
        oddity=oddity.astype("int64"),
        oddities=ODDITIES,
        minutes_burning=burning,
        mask=mask,
    )


def _weather(rng, n, start_day, minutes):
    if start_day is None:
        day, hour = rng.uniform(0, 365, n), rng.uniform(0, 24, n)
        clouds, haze, wind = rng.normal(size=(3, n))
    else:
        hours = np.arange(n) * minutes / 60
        day, hour = (start_day + hours / 24) % 365, hours % 24
        clouds, haze, wind = (_slow(rng, n, minutes / (60 * correlated)) for correlated in (14, 20, 8))
    declination = -np.deg2rad(23.44) * np.cos(2 * np.pi * (day + 10) / 365)
    angle = np.pi * (hour - 12) / 12
    sine = np.sin(_LATITUDE) * np.sin(declination) + np.cos(_LATITUDE) * np.cos(declination) * np.cos(angle)
    share = 1 / (1 + np.exp(-1.6 * clouds + 0.4))
    return np.column_stack([day, hour, np.rad2deg(np.arcsin(sine)), share, (0.25 + 0.14 * haze).clip(0.02, 0.8), wind])


def _slow(rng, n, step):
    """A normal variable that forgets its past by a factor e in ``1 / step`` frames."""
    keep = np.exp(-step)
    values = rng.normal(size=n)
    for i in range(1, n):
        values[i] = keep * values[i - 1] + np.sqrt(1 - keep**2) * values[i]
    return values


def _evening(rng, factors):
    """Frames moved to where the sun is on the horizon, for a red evening."""
    factors = factors.copy()
    factors[:, 2], factors[:, 3] = rng.uniform(-3, 1, len(factors)), rng.uniform(0.3, 0.6, len(factors))
    return factors


def _step(low, high, values):
    t = ((values - low) / (high - low)).clip(0, 1)
    return t * t * (3 - 2 * t)


def _mix(a, b, share):
    return a + (b - a) * share


def _landscape(factors, drift):
    """The scene in the light of each frame: ``(n, 64, 64, 3)``, and how light it is, ``(n,)`` in [0, 1]."""
    view = scene()
    day, hour, sun, clouds, haze, _ = (column[:, None, None, None] for column in factors.T)
    light = _step(-9, 8, sun)
    low = np.exp(-(((sun - 1) / 6.0) ** 2))  # how much the colours of dawn and dusk there are
    up = ((view.y - 0.35) / 0.65).clip(0, 1)[..., None]  # from the horizon to the top of the frame
    blue = _mix(np.array([0.74, 0.84, 0.93]), np.array([0.30, 0.52, 0.82]), up**0.7)
    dusk = _mix(np.array([0.96, 0.60, 0.36]), np.array([0.38, 0.40, 0.62]), up**0.6)
    night = _mix(np.array([0.13, 0.15, 0.24]), np.array([0.05, 0.06, 0.13]), up)
    sky = _mix(night, _mix(blue, dusk, 0.85 * low), light)

    cover = _clouds(clouds[:, 0, 0, 0], drift)[..., None]
    bright = _mix(np.array([0.97, 0.97, 0.98]), np.array([0.62, 0.64, 0.67]), clouds**2)
    bright = _mix(bright, np.array([0.98, 0.66, 0.50]), 0.7 * low * (1 - clouds))
    sky = _mix(sky, bright * (_NIGHT + (1 - _NIGHT) * light), cover)

    direct = _step(0, 12, sun) * (1 - 0.85 * clouds)
    colour = _mix(np.array([1.0, 0.97, 0.92]), np.array([1.0, 0.62, 0.35]), np.exp(-sun.clip(0, None) / 9))
    ambient = _mix(np.array([0.17, 0.19, 0.27]), np.array([0.50, 0.56, 0.64]), light * (0.75 + 0.25 * (1 - clouds)))
    angle = np.pi * (hour[:, 0, 0, 0] - 12) / 12
    height = np.deg2rad(sun[:, 0, 0, 0])
    towards = np.stack([np.sin(angle) * np.cos(height), np.sin(height), 0.55 * np.cos(height)], axis=1)
    facing = np.einsum("yxk,nk->nyx", view.normal, towards).clip(0, None)[..., None]
    land = _ground(view, day) * (ambient + 1.05 * direct * colour * facing)
    far = np.array([0.30, 0.36, 0.42]) * (ambient + 0.5 * direct * colour)

    veil = _mix(
        night[-1:, :1].mean(axis=(0, 1)),
        _mix(np.array([0.72, 0.79, 0.87]), np.array([0.9, 0.66, 0.5]), 0.6 * low),
        light,
    )
    veil = _mix(veil, np.array([0.66, 0.68, 0.70]) * (_NIGHT + (1 - _NIGHT) * light), clouds)
    covered = {name: share[..., None] for name, share in view.covered.items()}
    frames = _mix(sky, _mix(far, veil, (0.45 + haze).clip(0, 0.95)), covered["far"])
    land = _mix(land, veil, (haze * 1.1 * view.distance[..., None]).clip(0, 0.9))
    body = np.maximum.reduce([covered["near"], covered["hills"], covered["meadow"]])
    return _mix(frames, land, body), light[:, 0, 0, 0]


def _clouds(share, drift):
    """How much of the sky each pixel's cloud hides, ``(n, 64, 64)``; the field moves with the wind."""
    field = scene().sky_noise
    across = (np.arange(SIZE)[None] * 1.2 + drift[:, None]) % field.shape[1]
    left = across.astype(int)
    part = (across - left)[:, None, :]
    rows = (np.arange(SIZE) * 1.9).astype(int) % field.shape[0]
    columns = (left, (left + 1) % field.shape[1])
    values = _mix(*(field[rows[None, :, None], column[:, None, :]] for column in columns), part)
    threshold = 2.2 - 4.2 * share
    return _step(0, 1.1, values - threshold[:, None, None])


def _ground(view, day):
    """The colour of everything that is not sky, by season: ``(n, 64, 64, 3)``."""
    winter = 0.5 + 0.5 * np.cos(2 * np.pi * (day - 20) / 365)  # 1 in late January
    autumn = np.exp(-(((day - 290) / 22) ** 2))
    spring = _step(90, 150, day)
    green = _mix(np.array([0.20, 0.26, 0.13]), np.array([0.16, 0.34, 0.12]), spring * (1 - _step(250, 300, day)))
    woods = np.array([0.10, 0.20, 0.11]) * view.clump
    leaves = _mix(green * view.clump, np.array([0.66, 0.42, 0.10]) * view.clump, autumn)
    woods = _mix(woods, leaves, 0.75 * view.larches[..., None])
    land = _mix(view.rock, woods, view.wooded[..., None])
    meadow = _mix(np.array([0.42, 0.40, 0.22]), np.array([0.30, 0.46, 0.16]), spring * (1 - _step(240, 290, day)))
    land = _mix(land, meadow, view.covered["meadow"][..., None])
    line = 0.84 - 1.0 * _step(0.28, 0.98, winter)  # snow lies above this height
    snow = _step(-0.03, 0.05, view.height[..., None] - line)
    snow = snow * (1 - 0.55 * view.wooded[..., None] * (1 - view.covered["meadow"][..., None]))  # trees show through
    return _mix(land, np.array([0.93, 0.95, 0.99]), snow)


def _photographed(rng, frames, light):
    """What the sensor makes of it: exposure, and noise that is stronger in the dark."""
    exposure = rng.normal(1, 0.02, (len(frames), 1, 1, 1))
    gain = (0.008 + 0.012 * (1 - light))[:, None, None, None]
    return (frames * exposure + gain * rng.standard_normal(frames.shape, "float32")).clip(0, 1)


def _fires(rng, ignitions, n, minutes):
    """Minutes since the last fire broke out, -1 where nothing burns, ``(n,)``; and place and minutes, ``(n, 3)``."""
    view = scene()
    woods = np.argwhere((view.wooded > 0.8) & (view.covered["near"] > 0.9) & (view.covered["meadow"] < 0.1))
    burning, place = np.full(n, -1, "float32"), np.zeros((n, 2))
    for ignition in np.sort(ignitions):
        row, column = woods[rng.integers(len(woods))]
        frames = slice(ignition, ignition + -(-_BURNS // minutes))
        burning[frames] = np.arange(len(burning[frames])) * minutes
        place[frames] = view.x[row, column], view.y[row, column]
    return burning, np.column_stack([place, burning])


_BURNS = 360  # minutes


def _burning(rng, frame, light, factors, plume):
    """Smoke that rises with the wind, and flames at its foot."""
    x0, y0, minutes = plume
    view, wind = scene(), factors[5]
    strength = 1 - np.exp(-(minutes + 4) / 45)  # it spreads
    age = np.linspace(0, 1, 26)  # of a puff: from the fire to where the plume dissolves
    height = 0.42 * (0.35 + 0.65 * strength)
    x = x0 + 0.30 * wind * age**1.5 + 0.02 * rng.normal(size=26) * age
    y = y0 + height * age**0.75 + 0.01 * rng.normal(size=26)
    width = 0.009 + (0.02 + 0.06 * strength) * age
    density = strength * (1 - age) ** 0.7 * 0.2 / (0.3 + 6 * width) * rng.uniform(0.6, 1.4, 26)
    away = (view.x[..., None] - x) ** 2 / width**2 + (view.y[..., None] - y) ** 2 / (0.8 * width) ** 2
    smoke = 1 - np.exp(-(density * np.exp(-0.5 * away)).sum(axis=-1))
    grey = np.array([0.70, 0.68, 0.66]) * (_NIGHT + (1 - _NIGHT) * light)
    frame = _mix(frame, grey, smoke[..., None])
    spread = 0.010 + 0.030 * strength
    away = ((view.x - x0) / spread) ** 2 + ((view.y - y0 - 0.3 * spread) / (0.7 * spread)) ** 2
    flicker = rng.uniform(0.7, 1.0)
    flames = flicker * (0.45 + 0.45 * (1 - light)) * strength**0.5 * np.exp(-0.5 * away)
    frame = _mix(frame, np.array([1.0, 0.52, 0.12]), flames[..., None])
    glow = 0.35 * (1 - light) * strength * np.exp(-0.5 * away / 9)  # on woods and smoke, at night
    frame = frame + glow[..., None] * np.array([0.9, 0.38, 0.08])
    return frame, smoke > 0.1, np.maximum(flames, glow) > 0.1


def _fog_bank(rng, frame, light, factors):
    view = scene()
    top, thick = rng.uniform(0.16, 0.34), rng.uniform(0.08, 0.16)
    uneven = _clouds(np.array([0.55]), rng.uniform(0, 256, 1))[0]
    below = (1 - _step(top - 0.06, top + 0.05, view.y + 0.05 * uneven)) * _step(top - thick - 0.12, top - thick, view.y)
    fog = below * (0.55 + 0.4 * uneven)
    return _mix(frame, np.array([0.86, 0.87, 0.88]) * (_NIGHT + (1 - _NIGHT) * light), fog[..., None]), fog > 0.1


def _red_evening(rng, frame, light, factors):
    view = scene()
    sky = 1 - np.maximum(view.covered["far"], view.covered["near"])
    share = sky * rng.uniform(0.5, 0.75) * np.exp(-(((view.y - 0.5) / 0.35).clip(0) ** 2))
    return _mix(frame, np.array([0.95, 0.25, 0.16]) * (0.3 + 0.7 * light), share[..., None]), share > 0.1


def _birds(rng, frame, light, factors):
    view, cover = scene(), np.zeros((SIZE, SIZE))
    centre = rng.uniform([0.15, 0.62], [0.85, 0.92])
    for _ in range(rng.integers(4, 10)):
        x, y = centre + rng.normal(size=2) * [0.09, 0.04]
        wings, beat = rng.uniform(0.012, 0.022), rng.uniform(0.2, 0.9)
        off = view.y - y - beat * np.abs(view.x - x)
        cover = np.maximum(cover, np.exp(-((off / 0.008) ** 2)) * (np.abs(view.x - x) < wings))
    return _mix(frame, np.array([0.05, 0.05, 0.06]), 0.9 * cover[..., None]), cover > 0.2


def _lens_flare(rng, frame, light, factors):
    view, added = scene(), np.zeros((SIZE, SIZE, 3))
    start, end = rng.uniform([0.0, 0.75], [0.3, 1.0]), rng.uniform([0.6, 0.1], [1.0, 0.5])
    for t in np.sort(rng.uniform(0, 1, 6)):
        x, y = _mix(start, end, t)
        radius = rng.uniform(0.02, 0.07)
        away = np.hypot(view.x - x, view.y - y) / radius
        disc = (1 - _step(0.85, 1.15, away))[..., None]
        added += disc * rng.uniform(0.1, 0.3) * rng.uniform(0.6, 1, 3)
    return frame + added * (0.35 + 0.65 * light), added.max(axis=-1) > 0.08


_ODD = dict(enumerate((_fog_bank, _red_evening, _birds, _lens_flare), 1))
