"""What does one moment of a film look like? The room and the coach, drawn as flat shapes.

Everything solid is a hull: the shape that a rubber band would take around a few balls in space. Limbs, chest, hair,
shoes and the chair are all drawn with that one brush, the farthest first.
"""

from __future__ import annotations

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from PIL import Image, ImageColor, ImageDraw

from apps.ops.demo.figure import Skeleton, Vector, added, moved, scaled, skeleton, within
from apps.ops.demo.films import Film

Color = tuple[int, int, int]
Ball = tuple[Vector, float]
Point = tuple[float, float]

WIDTH, HEIGHT = 960, 540
# Drawn larger and reduced afterwards, because the brush itself has hard edges.
FINE = 2
METRE = 212 * FINE
FLOOR = (WIDTH * FINE // 2, 470 * FINE)
HORIZON = 408 * FINE
GLOW_CENTRE, GLOW_RADIUS = (WIDTH * FINE // 2, 262 * FINE), 196 * FINE
LOOKING_DOWN = math.radians(9)
RUG_RADIUS = 0.98
WHITE: Color = (255, 255, 255)
NIGHT: Color = (24, 22, 48)
IRON: Color = (58, 62, 74)
WOOD: Color = (166, 122, 86)
LEAF: Color = (92, 138, 98)


@dataclass(frozen=True)
class Part:
    """One solid piece, and the point by which it is sorted from far to near."""

    balls: tuple[Ball, ...]
    color: Color
    anchor: Vector
    nearer: float = 0.0  # metres, for what must lie on top of a neighbour


class Camera:
    """Turns space into points of the picture, after the coach has turned by an angle."""

    def __init__(self, facing: float, zoom: float) -> None:
        self._metre = METRE * zoom
        self._sine, self._cosine = math.sin(math.radians(facing)), math.cos(math.radians(facing))

    def seen(self, point: Vector) -> tuple[float, float, float, float]:
        """Picture x and y, the pixels of a metre there, and how near the point is in metres."""
        x = point[0] * self._cosine + point[2] * self._sine
        z = point[2] * self._cosine - point[0] * self._sine
        near = z * math.cos(LOOKING_DOWN) + point[1] * math.sin(LOOKING_DOWN)
        height = point[1] * math.cos(LOOKING_DOWN) - z * math.sin(LOOKING_DOWN)
        size = self._metre * (1.0 + 0.07 * z)
        return FLOOR[0] + x * size, FLOOR[1] - height * size, size, near

    def nearness(self, point: Vector) -> float:
        return self.seen(point)[3]


class Studio:
    """The room of one film, in which any second of it can be drawn."""

    def __init__(self, film: Film) -> None:
        self.film = film
        self.colors = {name: color(text) for name, text in film.palette.items()}

    def picture(self, second: float) -> Image.Image:
        """The coach in the room, without words, at the fine size."""
        picture = Image.new("RGB", (WIDTH * FINE, HEIGHT * FINE), self.colors["wall"])
        draw = ImageDraw.Draw(picture)
        body, camera = skeleton(self.film.pose(second)), Camera(self.film.facing(second), self.film.zoom)
        self._draw_ground(draw, body, camera)
        if self.film.has_chair:
            _draw_parts(draw, _chair(), camera, 0.0)
        parts = list(self._coach(body, camera))
        if self.film.scenes[self.film.scene_at(second)].movement.weights:
            parts += _dumbbells(body)
        _draw_parts(draw, parts, camera, camera.nearness(body.joints["hips"]))
        return picture

    def _draw_ground(self, draw: ImageDraw.ImageDraw, body: Skeleton, camera: Camera) -> None:
        glow, wall, rug = self.colors["glow"], self.colors["wall"], self.colors["rug"]
        radius = GLOW_RADIUS * (0.9 + 0.16 * body.breath)
        disc(draw, GLOW_CENTRE, radius * 1.12, mixed(wall, glow, 0.45))
        disc(draw, GLOW_CENTRE, radius, glow)
        draw.rectangle((0, HORIZON, WIDTH * FINE, HEIGHT * FINE), self.colors["floor"])
        _furnish(draw, self.colors)
        for share, tint in ((1.0, rug), (0.9, mixed(rug, WHITE, 0.16))):
            across = RUG_RADIUS * share * METRE * self.film.zoom
            ellipse(draw, FLOOR, across, across * 0.17, tint)
        below = camera.seen((body.joints["hips"][0], 0.0, body.joints["hips"][2]))
        feet = [camera.seen(body.joints[f"{side}_{end}"])[0] for side in ("left", "right") for end in ("toe", "heel")]
        left, right = min(*feet, below[0]) - 30 * FINE, max(*feet, below[0]) + 30 * FINE
        ellipse(draw, ((left + right) / 2, below[1]), (right - left) / 2, 15 * FINE, mixed(rug, NIGHT, 0.22))

    def _coach(self, body: Skeleton, camera: Camera) -> Iterator[Part]:
        yield from self._trunk(body)
        yield from self._head(body, camera)
        for side in ("left", "right"):
            yield from self._arm(body, side)
            yield from self._leg(body, side)

    def _trunk(self, body: Skeleton) -> Iterator[Part]:
        joints, shirt, trousers = body.joints, self.colors["shirt"], self.colors["trousers"]
        left, right, waist, hips = (joints[name] for name in ("left_shoulder", "right_shoulder", "waist", "hips"))
        chest = moved(waist, body.chest_axes[1], 0.16)
        inner = [_toward(shoulder, chest, 0.1) for shoulder in (left, right)]
        sides = [added(waist, within(body.chest_axes, (sign * 0.056, 0.0, 0.0))) for sign in (1, -1)]
        hem = [(_toward(joints[f"{side}_hip"], waist, 0.1), 0.092) for side in ("left", "right")]
        lap = [
            (_toward(joints[f"{side}_hip"], joints[f"{side}_knee"], share), 0.07)
            for side in ("left", "right")
            for share in (0.0, 0.2)
        ]
        knees = _toward(joints["left_knee"], joints["right_knee"], 0.5)
        belly = [(side, 0.085) for side in sides]
        yield part([(joints["left_hip"], 0.088), (joints["right_hip"], 0.088), (hips, 0.1)], trousers, hips)
        yield part(lap, trousers, _toward(hips, knees, 0.6), -0.002)
        yield part([*hem, *belly], shirt, waist, 0.1)
        yield part(
            [*((point, 0.06) for point in inner), (chest, 0.124 + 0.014 * body.breath), *belly], shirt, chest, 0.02
        )
        yield part(
            [(_toward(joints["neck"], chest, 0.1), 0.05), (_toward(joints["neck"], joints["head"], 0.5), 0.046)],
            mixed(self.colors["skin"], NIGHT, 0.1),
            joints["neck"],
            0.025,
        )

    def _arm(self, body: Skeleton, side: str) -> Iterator[Part]:
        shoulder, elbow, wrist, hand = (
            body.joints[f"{side}_{name}"] for name in ("shoulder", "elbow", "wrist", "hand")
        )
        skin, upper = self.colors["skin"], _toward(shoulder, elbow, 0.5)
        shirt = self.colors["shirt"]
        sleeve = mixed(shirt, WHITE if sum(shirt) < 560 else NIGHT, 0.08)
        yield part([(shoulder, 0.046), (elbow, 0.04)], skin, upper, 0.03)
        yield part([(shoulder, 0.06), (_toward(shoulder, elbow, 0.6), 0.051)], sleeve, upper, 0.031)
        yield part([(elbow, 0.04), (wrist, 0.03)], skin, _toward(elbow, wrist, 0.5), 0.03)
        yield part([(wrist, 0.03), (_toward(wrist, hand, 0.55), 0.037), (hand, 0.027)], skin, hand, 0.035)

    def _leg(self, body: Skeleton, side: str) -> Iterator[Part]:
        hip, knee, ankle, heel, toe = (
            body.joints[f"{side}_{name}"] for name in ("hip", "knee", "ankle", "heel", "toe")
        )
        trousers, shoes = self.colors["trousers"], self.colors["shoes"]
        yield part([(hip, 0.088), (knee, 0.062)], trousers, _toward(hip, knee, 0.6))
        yield part([(knee, 0.062), (ankle, 0.043)], trousers, _toward(knee, ankle, 0.5), 0.005)
        yield part([(heel, 0.042), (toe, 0.034), (ankle, 0.036)], shoes, _toward(heel, toe, 0.5))

    def _head(self, body: Skeleton, camera: Camera) -> Iterator[Part]:
        centre, axes = body.joints["head"], body.head_axes
        skin, hair, ink = self.colors["skin"], self.colors["hair"], mixed(NIGHT, (60, 30, 20), 0.5)

        def at(left: float, up: float, forward: float) -> Vector:
            return added(centre, within(axes, (left, up, forward)))

        def on_head(balls: Sequence[Ball], tint: Color, layer: int) -> Part:
            return part(balls, tint, centre, 0.06 + layer * 0.001)

        for knot, radius in _hair_knots(self.film.hair):
            yield part([(at(*knot), radius)], hair, at(*knot), 0.05)
        yield on_head([(at(0, 0.022, -0.022), 0.12), (at(0, -0.012, -0.05), 0.094)], hair, 0)
        for sign in (1, -1):
            yield on_head([(at(sign * 0.1, -0.022, -0.005), 0.022)], skin, 1)
        yield on_head([(at(0, 0.0, 0.026), 0.095), (at(0, -0.055, 0.034), 0.07)], skin, 2)
        yield on_head(
            [(at(0.056, 0.078, 0.05), 0.034), (at(-0.056, 0.078, 0.05), 0.034), (at(0, 0.094, 0.01), 0.062)], hair, 3
        )
        # An eye or a cheek beyond the edge of the head would stand out of it, and the back of a head has no face.
        edge = camera.nearness(centre) + 0.03
        for sign in (1, -1):
            eye, cheek = at(sign * 0.04, 0.0, 0.11), at(sign * 0.056, -0.042, 0.09)
            if camera.nearness(eye) > edge:
                yield on_head([(moved(eye, axes[1], 0.005), 0.0115), (moved(eye, axes[1], -0.005), 0.0105)], ink, 4)
            if camera.nearness(cheek) > edge:
                yield on_head([(cheek, 0.017)], mixed(skin, (232, 96, 84), 0.28), 4)
        if camera.nearness(at(0, 0, 0.11)) < edge:
            return
        smile = [
            at(0.027 * math.sin(turn), -0.058 - 0.017 * math.cos(turn), 0.104) for turn in (-1.5, -0.8, 0, 0.8, 1.5)
        ]
        yield on_head([(point, 0.004) for point in smile], mixed(skin, (120, 30, 40), 0.75), 5)


def _hair_knots(style: str) -> tuple[tuple[Vector, float], ...]:
    if style == "bun":
        return (((0.0, 0.15, -0.05), 0.058),)
    if style == "ponytail":
        return (
            ((0.0, 0.1, -0.135), 0.052),
            ((0.0, 0.03, -0.185), 0.046),
            ((0.0, -0.04, -0.2), 0.036),
            ((0.0, -0.09, -0.2), 0.024),
        )
    return ()


def _dumbbells(body: Skeleton) -> list[Part]:
    """A dumbbell in each hand, lying across the palm."""
    parts = []
    for side in ("left", "right"):
        grip = _toward(body.joints[f"{side}_wrist"], body.joints[f"{side}_hand"], 0.55)
        reach = scaled(body.chest_axes[0], 0.095)
        ends = (added(grip, reach), added(grip, scaled(reach, -1.0)))
        parts.append(part([(end, 0.016) for end in ends], mixed(IRON, WHITE, 0.4), grip, 0.036))
        for end in ends:
            inner = _toward(end, grip, 0.32)
            parts.append(part([(end, 0.042), (inner, 0.042)], IRON, end, 0.06))
    return parts


def _chair() -> list[Part]:
    """A plain chair behind the middle of the rug, its seat 43 cm high."""
    left, back, front, seat = 0.2, -0.32, 0.1, 0.415
    legs = [(x, z) for x in (left, -left) for z in (back, front)]
    parts = [part([((x, 0.02, z), 0.019), ((x, seat, z), 0.022)], WOOD, (x, 0.2, z)) for x, z in legs]
    posts = [
        part([((x, seat, back), 0.022), ((x, 0.86, back - 0.05), 0.02)], WOOD, (x, 0.6, back)) for x in (left, -left)
    ]
    rails = [
        part([((x, height, back - 0.04), 0.034) for x in (left, -left)], mixed(WOOD, WHITE, 0.14), (0.0, height, back))
        for height in (0.62, 0.82)
    ]
    top = part([((x, seat, z), 0.032) for x, z in legs], mixed(WOOD, WHITE, 0.22), (0.0, seat, -0.1), 0.2)
    return [*parts, *posts, *rails, top]


def part(balls: Iterable[Ball], tint: Color, anchor: Vector, nearer: float = 0.0) -> Part:
    return Part(tuple(balls), tint, anchor, nearer)


def _draw_parts(draw: ImageDraw.ImageDraw, parts: Iterable[Part], camera: Camera, middle: float) -> None:
    """Draws from far to near; what is behind the middle of the body lies a little in its shade."""
    for near, piece in sorted(((camera.nearness(p.anchor) + p.nearer, p) for p in parts), key=lambda pair: pair[0]):
        shade = min(max((middle - near + 0.06) / 0.4, 0.0), 1.0) * 0.26
        rim: list[Point] = []
        for centre, radius in piece.balls:
            x, y, size, _ = camera.seen(centre)
            rim += [(x + dx * radius * size, y + dy * radius * size) for dx, dy in _RIM]
        draw.polygon(hull(rim), mixed(piece.color, NIGHT, shade))


_RIM = [(math.cos(turn * math.pi / 14), math.sin(turn * math.pi / 14)) for turn in range(28)]


def hull(points: list[Point]) -> list[Point]:
    """The convex outline of points, by walking along the lower and then the upper side."""
    ordered = sorted(points)

    def side(walk: Iterable[Point]) -> list[Point]:
        line: list[Point] = []
        for x, y in walk:
            while len(line) > 1 and (
                (line[-1][0] - line[-2][0]) * (y - line[-2][1]) <= (line[-1][1] - line[-2][1]) * (x - line[-2][0])
            ):
                line.pop()
            line.append((x, y))
        return line[:-1]

    return side(ordered) + side(reversed(ordered))


def _furnish(draw: ImageDraw.ImageDraw, colors: dict[str, Color]) -> None:
    """A plant at the left and an exercise ball at the right, so that the room is a room."""
    wall, rug, floor = colors["wall"], colors["rug"], colors["floor"]
    draw.rectangle((0, HORIZON, WIDTH * FINE, HORIZON + 5 * FINE), mixed(floor, WHITE, 0.35))
    base = (112 * FINE, 424 * FINE)
    ellipse(draw, (base[0], base[1] + 2 * FINE), 40 * FINE, 8 * FINE, mixed(floor, NIGHT, 0.14))
    for angle, reach, tint in ((-62, 92, 0.1), (-30, 118, 0.0), (4, 138, 0.12), (34, 112, 0.02), (64, 88, 0.16)):
        _leaf(draw, (base[0], base[1] - 52 * FINE), angle, reach * FINE, mixed(mixed(LEAF, wall, 0.22), WHITE, tint))
    pot = [(base[0] + dx * FINE, base[1] + dy * FINE) for dx, dy in ((-30, -58), (30, -58), (22, 0), (-22, 0))]
    draw.polygon(pot, mixed(rug, WHITE, 0.5))
    draw.rectangle(
        (base[0] - 33 * FINE, base[1] - 66 * FINE, base[0] + 33 * FINE, base[1] - 54 * FINE), mixed(rug, WHITE, 0.38)
    )
    ball = (846 * FINE, 388 * FINE)
    ellipse(draw, (ball[0], ball[1] + 46 * FINE), 44 * FINE, 8 * FINE, mixed(floor, NIGHT, 0.14))
    disc(draw, ball, 46 * FINE, mixed(rug, WHITE, 0.3))
    disc(draw, (ball[0] - 12 * FINE, ball[1] - 14 * FINE), 24 * FINE, mixed(rug, WHITE, 0.42))


def _leaf(draw: ImageDraw.ImageDraw, root: Point, angle: float, reach: float, tint: Color) -> None:
    """A leaf that leans by an angle from upright."""
    turn = math.radians(angle)
    rim = []
    for step in range(25):
        way = step / 12 if step <= 12 else (24 - step) / 12
        aside = math.sin(math.pi * way**0.8) * reach * 0.13 * (1 if step <= 12 else -1)
        bent = turn * (0.55 + 0.6 * way)
        rim.append(
            (
                root[0] + math.sin(bent) * way * reach + math.cos(bent) * aside,
                root[1] - math.cos(bent) * way * reach + math.sin(bent) * aside,
            )
        )
    draw.polygon(rim, tint)


def disc(draw: ImageDraw.ImageDraw, centre: Point, radius: float, tint: Color) -> None:
    ellipse(draw, centre, radius, radius, tint)


def ellipse(draw: ImageDraw.ImageDraw, centre: Point, across: float, down: float, tint: Color) -> None:
    draw.ellipse((centre[0] - across, centre[1] - down, centre[0] + across, centre[1] + down), tint)


def color(text: str) -> Color:
    red, green, blue = ImageColor.getrgb(text)[:3]
    return red, green, blue


def mixed(a: Color, b: Color, share: float) -> Color:
    """The first color with a share (0 to 1) of the second."""
    red, green, blue = (round(x + (y - x) * share) for x, y in zip(a, b, strict=True))
    return red, green, blue


def _toward(start: Vector, end: Vector, share: float) -> Vector:
    return added(scaled(start, 1.0 - share), scaled(end, share))
