/* What is played? A video, its addresses tried in turn, or a bare clock when there is none. Both speak the words of
   HTMLMediaElement, so that whoever watches them need not know which it is. */

const HLS_TYPE = "application/vnd.apple.mpegurl";

/** A film without pictures: it runs through the lesson's timeline by the clock. */
export class Clock extends EventTarget {
  #at = 0;
  #since = 0;
  #rate = 1;
  #timer = 0;

  constructor(duration) {
    super();
    this.duration = duration;
  }

  get currentTime() {
    const running = this.paused ? 0 : ((performance.now() - this.#since) / 1000) * this.#rate;
    return Math.min(this.#at + running, this.duration);
  }

  set currentTime(seconds) {
    this.#at = Math.min(Math.max(seconds, 0), this.duration);
    this.#since = performance.now();
    this.#say("seeking");
    this.#say("timeupdate");
  }

  get playbackRate() {
    return this.#rate;
  }

  set playbackRate(rate) {
    this.#at = this.currentTime;
    this.#since = performance.now();
    this.#rate = rate;
  }

  get paused() {
    return this.#timer === 0;
  }

  get ended() {
    return this.currentTime >= this.duration;
  }

  async play() {
    if (!this.paused) return;
    if (this.ended) this.#at = 0;
    this.#since = performance.now();
    this.#timer = setInterval(() => this.#tick(), 200);
    this.#say("play");
    this.#say("playing");
  }

  pause() {
    if (this.paused) return;
    this.#at = this.currentTime;
    clearInterval(this.#timer);
    this.#timer = 0;
    this.#say("pause");
  }

  #tick() {
    this.#say("timeupdate");
    if (this.ended) {
      this.pause();
      this.#say("ended");
    }
  }

  #say(type) {
    this.dispatchEvent(new Event(type));
  }
}

/** Gives a video its addresses in turn; calls `onFailure` when none of them can be played. */
export class Sources {
  #left = [];
  #hls = null;

  constructor(video, addresses, onFailure) {
    this.video = video;
    this.addresses = addresses;
    this.onFailure = onFailure;
    video.addEventListener("error", () => this.#next());
  }

  /** From the first address on; also what "try again" does. */
  start() {
    this.#left = this.addresses.flatMap((address) => this.#ways(address));
    this.#next();
  }

  /** An HLS playlist is played by the browser where it can, else, or when it fails at it, by hls.js. */
  #ways({ url, isHls }) {
    if (!isHls) return [() => this.#plain(url)];
    const byLibrary = () => this.#byHls(url);
    return this.video.canPlayType(HLS_TYPE) ? [() => this.#plain(url), byLibrary] : [byLibrary];
  }

  #next() {
    this.#hls?.destroy();
    this.#hls = null;
    const way = this.#left.shift();
    if (way) way();
    else this.onFailure();
  }

  #plain(url) {
    this.video.src = url;
    this.video.load();
  }

  async #byHls(url) {
    try {
      const { default: Hls } = await import("../vendor/hls/hls.light.min.mjs");
      if (!Hls.isSupported()) return this.#next();
      // Its worker is made from text, which the content policy rightly refuses.
      const hls = new Hls({ enableWorker: false });
      this.#hls = hls;
      hls.on(Hls.Events.ERROR, (_, problem) => problem.fatal && this.#hls === hls && this.#next());
      hls.loadSource(url);
      hls.attachMedia(this.video);
    } catch {
      this.#next();
    }
  }
}

/** Shows the subtitles of one locale, or none for "". Those of another site are fetched first: a `<track>` would
    need the whole video to be fetched under CORS as well. */
export async function showSubtitles(video, locale) {
  for (const element of video.querySelectorAll("track")) {
    const wanted = element.dataset.locale === locale;
    if (wanted && !element.src) await fetchInto(element);
    element.track.mode = wanted ? "showing" : "disabled";
  }
}

async function fetchInto(element) {
  try {
    const response = await fetch(element.dataset.src, { credentials: "omit" });
    if (response.ok) element.src = URL.createObjectURL(await response.blob());
  } catch {
    // Without subtitles the lesson goes on.
  }
}
