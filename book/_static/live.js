/* The live pages: small networks that the book's build has trained, run in the browser. No other library; nothing is sent.

   A page holds <div class="live" data-live="NAME"></div>. The weights are in live/NAME.js, a script and not a file to fetch, so
   that it loads from a disk as well. It calls aelibLive.receive(NAME, content). Networks are lists of dense layers. */
"use strict";
const aelibLive = (() => {
  const VERSION = 1, SIDE = 28, PIXELS = SIDE * SIDE;
  const base = new URL("live/", document.currentScript.src);

  /* ---- Networks ---- */

  const bytes = (text) => Uint8Array.from(atob(text), (letter) => letter.charCodeAt(0));
  const floats = (text) => new Float32Array(bytes(text).buffer);

  /* A layer as it comes, 8 or 16 bits and a scale for each column of the kernel, or 32-bit numbers, to one that can be run. */
  function unpacked({ inputs, outputs, kernel, scale, bias, activation, bits }) {
    if (!scale) return { inputs, outputs, kernel: floats(kernel), bias: floats(bias), activation };
    const whole = new (bits === 16 ? Int16Array : Int8Array)(bytes(kernel).buffer), scales = floats(scale);
    return { inputs, outputs, kernel: Float32Array.from(whole, (q, i) => q * scales[i % outputs]), bias: floats(bias), activation };
  }

  const ACTIVATIONS = {
    linear: (v) => v,
    relu: (v) => Math.max(v, 0),
    sigmoid: (v) => 1 / (1 + Math.exp(-v)),
  };

  /* What a network makes of x, an array of numbers. */
  function run(network, x) {
    for (const { outputs, kernel, bias, activation } of network) {
      const y = Float32Array.from(bias);
      x.forEach((value, i) => {
        if (value === 0) return;
        for (let j = 0, k = i * outputs; j < outputs; j++, k++) y[j] += value * kernel[k];
      });
      x = y.map(ACTIVATIONS[activation]);
    }
    return x;
  }

  const squares = (x, y) => x.map((value, i) => (value - y[i]) ** 2);
  const sum = (x) => x.reduce((total, value) => total + value, 0);
  const images = (text) => {
    const all = bytes(text);
    return Array.from({ length: all.length / PIXELS }, (_, i) => Float32Array.from(all.subarray(i * PIXELS, (i + 1) * PIXELS), (v) => v / 255));
  };

  /* ---- From strokes to an image like MNIST's: the ink's box is shrunk to 20 pixels, averaging, and its centre of mass is
     put into the centre of 28 x 28. ink: side x side numbers from 0 to 1. Null where there is no ink. ---- */

  function prepared(ink, side) {
    let left = side, right = -1, top = side, bottom = -1;
    ink.forEach((value, i) => {
      if (value < 0.1) return; // some browsers add noise to what is read from a canvas
      const x = i % side, y = (i - x) / side;
      left = Math.min(left, x); right = Math.max(right, x); top = Math.min(top, y); bottom = Math.max(bottom, y);
    });
    if (right < 0) return null;
    const size = Math.max(right - left, bottom - top) + 1, step = size / 20;
    const width = Math.max(1, Math.round((right - left + 1) / step)), height = Math.max(1, Math.round((bottom - top + 1) / step));
    const small = new Float32Array(width * height);
    let mass = 0, massX = 0, massY = 0;
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
      let total = 0, weight = 0; // the mean over the pixels that this one covers, each by the part that is covered
      const x0 = left + x * step, y0 = top + y * step;
      for (let v = Math.floor(y0); v < y0 + step && v <= bottom; v++) for (let u = Math.floor(x0); u < x0 + step && u <= right; u++) {
        const part = (Math.min(u + 1, x0 + step) - Math.max(u, x0)) * (Math.min(v + 1, y0 + step) - Math.max(v, y0));
        total += part * ink[v * side + u];
        weight += part;
      }
      const value = weight ? total / weight : 0;
      small[y * width + x] = value;
      mass += value; massX += value * (x + 0.5); massY += value * (y + 0.5);
    }
    const shiftX = Math.round(SIDE / 2 - massX / mass), shiftY = Math.round(SIDE / 2 - massY / mass), image = new Float32Array(PIXELS);
    for (let y = 0; y < height; y++) for (let x = 0; x < width; x++) {
      const u = x + shiftX, v = y + shiftY;
      if (u >= 0 && u < SIDE && v >= 0 && v < SIDE) image[v * SIDE + u] = small[y * width + x];
    }
    return image;
  }

  /* ---- Parts of pages ---- */

  const element = (name, properties = {}, ...children) => {
    const made = Object.assign(document.createElement(name), properties);
    made.append(...children);
    return made;
  };

  /* 28 x 28 numbers on a canvas: 0 paper, 1 ink. Or, with heat, 0 paper and large values orange. */
  function paint(canvas, x, heat = false) {
    const context = canvas.getContext("2d"), data = context.createImageData(SIDE, SIDE), top = heat ? Math.max(0.25, ...x) : 1;
    x.forEach((value, i) => {
      const part = Math.min(1, Math.max(0, value / top)), paper = 255 * (1 - part);
      data.data.set(heat ? [255 - 42 * part, 255 - 161 * part, paper, 255] : [paper, paper, paper, 255], 4 * i);
    });
    context.putImageData(data, 0, 0);
  }

  /* Such a picture with a caption. */
  function picture(caption, { zoom = 3.5, heat = false } = {}) {
    const canvas = element("canvas", { width: SIDE, height: SIDE, className: "live-image" }), text = element("figcaption");
    canvas.style.width = `${SIDE * zoom}px`;
    canvas.setAttribute("role", "img");
    const figure = element("figure", {}, canvas, text);
    figure.show = (x, more = "") => {
      paint(canvas, x, heat);
      text.textContent = caption + more;
      canvas.setAttribute("aria-label", caption + more);
    };
    figure.show(new Float32Array(PIXELS));
    return figure;
  }

  function slider(name, low, high, value, changed, step = (high - low) / 200, words = (number) => number.toFixed(2)) {
    const input = element("input", { type: "range", min: low, max: high, step, value }), out = element("span", { className: "live-value" });
    const label = element("label", { className: "live-slider" }, element("span", { textContent: name }), input, out);
    out.ariaHidden = "true";
    const say = (number) => { out.textContent = words(number); input.setAttribute("aria-valuetext", words(number)); };
    input.addEventListener("input", () => { say(Number(input.value)); changed(Number(input.value)); });
    label.set = (number) => { input.value = number; say(number); };
    say(value);
    return label;
  }

  const button = (text, pressed) => {
    const made = element("button", { type: "button", textContent: text });
    made.addEventListener("click", pressed);
    return made;
  };

  const row = (...children) => element("div", { className: "live-row" }, ...children);

  /* A sheet to draw on: mouse, finger, or arrow keys (space lifts and lowers the pen). changed(image) gets 784 numbers, or null. */
  function sheet(examples, changed) {
    const side = 280, canvas = element("canvas", { width: side, height: side, className: "live-sheet", tabIndex: 0 });
    const context = canvas.getContext("2d", { willReadFrequently: true });
    const hint = "Draw a digit: mouse, finger, or arrow keys (space: pen up or down).";
    const says = element("p", { className: "live-hint", textContent: hint }), mark = element("span", { className: "live-pen", hidden: true });
    let pen = null, down = false, next = 0, waiting = false;
    canvas.setAttribute("role", "application");
    canvas.setAttribute("aria-label", "Sheet to draw a digit on. Arrow keys move the pen, space lifts and lowers it.");
    says.setAttribute("role", "status");
    const clear = () => { context.fillStyle = "white"; context.fillRect(0, 0, side, side); pen = null; down = false; mark.hidden = true; says.textContent = hint; };
    const read = () => {
      if (waiting) return;
      waiting = true; // once a frame is enough
      requestAnimationFrame(() => {
        waiting = false;
        const { data } = context.getImageData(0, 0, side, side), ink = new Float32Array(side * side);
        for (let i = 0; i < ink.length; i++) ink[i] = 1 - data[4 * i] / 255;
        changed(prepared(ink, side));
      });
    };
    const stroke = (x, y) => {
      context.lineWidth = 22; context.lineCap = context.lineJoin = "round"; context.strokeStyle = "black";
      context.beginPath();
      context.moveTo(...(pen ?? [x, y]));
      context.lineTo(x + 0.01, y);
      context.stroke();
      pen = [x, y];
    };
    const place = (event) => {
      const box = canvas.getBoundingClientRect();
      return [(event.clientX - box.left) * side / box.width, (event.clientY - box.top) * side / box.height];
    };
    canvas.addEventListener("pointerdown", (event) => {
      if (!event.isPrimary || event.button) return;
      canvas.setPointerCapture(event.pointerId);
      pen = null; mark.hidden = true;
      stroke(...place(event));
      read();
    });
    canvas.addEventListener("pointermove", (event) => { if (canvas.hasPointerCapture(event.pointerId)) { stroke(...place(event)); read(); } });
    canvas.addEventListener("blur", () => { mark.hidden = true; });
    canvas.addEventListener("keydown", (event) => {
      const move = { ArrowLeft: [-10, 0], ArrowRight: [10, 0], ArrowUp: [0, -10], ArrowDown: [0, 10] }[event.key];
      if (event.key === " ") { down = !down; says.textContent = down ? "Pen down: the arrow keys draw." : "Pen up."; }
      if (event.key === " " || move) event.preventDefault();
      const from = pen ?? [side / 2, side / 2], to = from.map((v, i) => Math.min(side - 20, Math.max(20, v + (move?.[i] ?? 0))));
      if (!move && event.key !== " ") return;
      mark.hidden = false;
      mark.style.left = `${100 * to[0] / side}%`;
      mark.style.top = `${100 * to[1] / side}%`;
      if (down) { stroke(...to); read(); } else { pen = to; says.textContent = `Pen up, at ${Math.round(to[0] / 28)}, ${Math.round(to[1] / 28)} of 10.`; }
    });
    const example = () => {
      clear();
      const image = examples[next++ % examples.length], small = element("canvas", { width: SIDE, height: SIDE });
      paint(small, image);
      context.drawImage(small, 0, 0, side, side);
      changed(image);
    };
    clear();
    return element("div", { className: "live-draw" }, element("div", { className: "live-paper" }, canvas, mark), row(
      button("Clear", () => { clear(); changed(null); }),
      button("An unseen digit", example),
    ), says);
  }

  /* ---- The pages ---- */

  /* The plane of a VAE with two code numbers. */
  function explorer(root, { decoder, codes, labels, colours }) {
    const side = 280, limit = 3.5, canvas = element("canvas", { width: side, height: side, className: "live-sheet" });
    const context = canvas.getContext("2d"), digit = picture("decoded"), between = picture("between A and B"), average = picture("pixels of A and B, averaged");
    let z = [0, 0], dots = true;
    const ends = { A: [-1.5, 0], B: [1.5, 0] };
    canvas.setAttribute("role", "img");
    canvas.setAttribute("aria-label", "The plane of codes. The sliders below move the point as well.");
    const at = ([x, y]) => [(x / limit + 1) * side / 2, (1 - y / limit) * side / 2];
    const mark = (point, text, colour) => {
      const [x, y] = at(point);
      context.lineWidth = 2.5; context.strokeStyle = colour; context.fillStyle = colour;
      context.beginPath(); context.arc(x, y, 7, 0, 7); context.stroke();
      context.font = "bold 14px sans-serif"; context.fillText(text, x + 9, y - 7);
    };
    const plane = () => {
      context.fillStyle = "white"; context.fillRect(0, 0, side, side);
      if (dots) codes.forEach((code, i) => {
        const [x, y] = at(code);
        context.fillStyle = colours[labels[i]]; context.fillRect(x - 1.5, y - 1.5, 3, 3);
      });
      mark(ends.A, "A", "#333333"); mark(ends.B, "B", "#333333"); mark(z, "", "#000000");
    };
    const walk = slider("from A to B", 0, 1, 0.5, () => show());
    const show = () => {
      const t = Number(walk.querySelector("input").value), [a, b] = [ends.A, ends.B].map((end) => run(decoder, end));
      digit.show(run(decoder, z), ` from (${z[0].toFixed(1)}, ${z[1].toFixed(1)})`);
      between.show(run(decoder, ends.A.map((v, i) => (1 - t) * v + t * ends.B[i])));
      average.show(a.map((v, i) => (1 - t) * v + t * b[i]));
      plane();
    };
    const sliders = ["z1", "z2"].map((name, i) => slider(name, -limit, limit, 0, (value) => { z[i] = value; show(); }));
    const go = (point) => { z = point.map((v) => Math.min(limit, Math.max(-limit, v))); sliders.forEach((s, i) => s.set(z[i])); show(); };
    const drag = (event) => {
      const box = canvas.getBoundingClientRect();
      go([((event.clientX - box.left) / box.width * 2 - 1) * limit, (1 - (event.clientY - box.top) / box.height * 2) * limit]);
    };
    canvas.addEventListener("pointerdown", (event) => { canvas.setPointerCapture(event.pointerId); drag(event); });
    canvas.addEventListener("pointermove", (event) => { if (canvas.hasPointerCapture(event.pointerId)) drag(event); });
    const box = element("input", { type: "checkbox", checked: true });
    box.addEventListener("change", () => { dots = box.checked; plane(); });
    const legend = element("p", { className: "live-hint" }, ...colours.flatMap((colour, i) => {
      const name = element("span", { textContent: "■", className: "live-colour" });
      name.style.color = colour;
      name.ariaHidden = "true";
      return [name, `${i} `];
    }));
    root.append(
      row(canvas, digit),
      row(...sliders),
      row(element("label", {}, box, " codes of training images, by class"), ...["A", "B"].map((end) => button(`Hold as ${end}`, () => { ends[end] = [...z]; show(); }))),
      legend, walk, row(between, average),
    );
    show();
  }

  /* Draw a digit: its code, what is redrawn from it, and what PCA would do. */
  function draw(root, { models, examples }) {
    const group = `live-size-${document.querySelectorAll("input[name^=live-size]").length}`;
    let size = "3", image = null, z = [];
    const seen = picture("as the network sees it"), by = picture("from the code"), pca = picture("PCA");
    const sliders = element("div", { className: "live-sliders" }), choice = element("fieldset", { className: "claims-filter" });
    const redraw = () => {
      const { decoder } = models[size].autoencoder, again = run(decoder, z);
      by.show(again, image ? `: error ${sum(squares(image, again)).toFixed(1)}` : "");
    };
    const encode = () => {
      const { autoencoder, PCA } = models[size];
      z = image ? Array.from(run(autoencoder.encoder, image)) : autoencoder.ranges.map(([low, high]) => (low + high) / 2);
      if (sliders.childElementCount !== z.length)
        sliders.replaceChildren(...autoencoder.ranges.map(([low, high], i) => slider(`z${i + 1}`, low, high, z[i], (value) => { z[i] = value; redraw(); })));
      [...sliders.children].forEach((each, i) => each.set(z[i]));
      seen.show(image ?? new Float32Array(PIXELS));
      const linear = image ? run(PCA.decoder, run(PCA.encoder, image)) : new Float32Array(PIXELS);
      pca.show(linear, image ? `: error ${sum(squares(image, linear)).toFixed(1)}` : "");
      redraw();
    };
    choice.append(element("legend", { className: "visually-hidden", textContent: "Size of the code" }));
    for (const name of Object.keys(models)) {
      const input = element("input", { type: "radio", name: group, checked: name === size });
      input.addEventListener("change", () => { size = name; encode(); });
      choice.append(element("label", {}, input, ` ${name} numbers`));
    }
    root.append(row(sheet(examples, (x) => { image = x; encode(); }), element("div", {}, row(seen, by, pca), choice)),
      element("p", { className: "live-hint", textContent: "The code: move a slider and see what its number draws. Error: squared, summed over the pixels." }), sliders);
    encode();
  }

  /* Is it a three? The score of a denoising autoencoder that has seen only threes. */
  function normal(root, { encoder, decoder, threshold, examples }) {
    let image = null, noise = 0.5;
    const seen = picture("as the network sees it"), again = picture("redrawn"), map = picture("error map", { heat: true });
    const noisy = picture("with noise"), cleaned = picture("what it makes of that"), verdict = element("p", { className: "live-verdict" });
    const draws = Float32Array.from({ length: PIXELS }, () => Math.sqrt(-2 * Math.log(1 - Math.random())) * Math.cos(2 * Math.PI * Math.random()));
    verdict.setAttribute("role", "status");
    const spoil = () => {
      const x = (image ?? new Float32Array(PIXELS)).map((v, i) => v + noise * draws[i]);
      noisy.show(x);
      cleaned.show(image ? run(decoder, run(encoder, x)) : new Float32Array(PIXELS));
    };
    const judge = () => {
      const x = image ?? new Float32Array(PIXELS), x_hat = image ? run(decoder, run(encoder, x)) : x, error = squares(x, x_hat), score = sum(error);
      seen.show(x); again.show(x_hat); map.show(error);
      verdict.textContent = !image ? "Draw a three, and then something else."
        : `Error ${score.toFixed(1)}, threshold ${threshold.toFixed(1)}: ${score > threshold ? "not a three. It rings." : "a normal three."}`;
      spoil();
    };
    root.append(row(sheet(examples, (x) => { image = x; judge(); }), element("div", {}, row(seen, again, map), verdict)),
      slider("noise", 0, 1, noise, (value) => { noise = value; spoil(); }), row(noisy, cleaned));
    judge();
  }

  /* Ten unseen digits, redrawn from 1 to 64 numbers. */
  function numbers(root, { sizes, originals, networks, pca, mse }) {
    const lines = { original: originals, autoencoder: null, PCA: null }, shown = {};
    const says = element("p", { className: "live-verdict" });
    says.setAttribute("role", "status");
    for (const name of Object.keys(lines)) shown[name] = originals.map((_, i) => picture(`digit ${i}, ${name}`, { zoom: 2 }));
    const show = (place) => {
      const of = { original: originals, autoencoder: networks[place], PCA: pca[place] };
      for (const [name, line] of Object.entries(shown)) line.forEach((figure, i) => figure.show(of[name][i]));
      const error = (values) => (784 * values[place]).toFixed(1);
      says.textContent = `${sizes[place]} ${sizes[place] === 1 ? "number" : "numbers"}: error on unseen digits, autoencoder ${error(mse.autoencoder)}, PCA ${error(mse.PCA)}`;
    };
    root.append(slider("numbers in the code", 0, sizes.length - 1, 4, show, 1, (place) => `${sizes[place]}`), says,
      ...Object.entries(shown).map(([name, line]) => element("div", { className: "live-line" }, element("span", { textContent: name }), ...line)));
    show(4);
  }

  /* ---- Start ---- */

  const PAGES = { explorer, draw, normal, numbers }, ready = {};

  /* Networks and images, wherever they stand in a page's content. */
  function opened(content) {
    if (Array.isArray(content)) return content[0]?.kernel ? content.map(unpacked) : content.map(opened);
    if (content?.images) return images(content.images);
    if (content && typeof content === "object") return Object.fromEntries(Object.entries(content).map(([key, value]) => [key, opened(value)]));
    return content;
  }

  function sorry(root, text) {
    root.prepend(element("p", { className: "live-sorry", textContent: text }));
  }

  function receive(name, { version, data, date, aelib, ...content }) {
    for (const root of document.querySelectorAll(`.live[data-live="${name}"]`)) {
      if (version !== VERSION) { sorry(root, "These weights are of another version of this page. Load it afresh, or build the book again."); continue; }
      if (!element("canvas").getContext?.("2d")) { sorry(root, "This browser cannot draw. The picture shows what you would see."); continue; }
      const still = [...root.childNodes];
      try {
        ready[name] = opened(content);
        PAGES[name](root, ready[name]);
        still.forEach((node) => node.remove());
        root.append(element("p", { className: "live-hint", textContent: `Runs in this page; nothing is sent. Trained on ${data}, ${date}, aelib ${aelib}.` }));
        root.dataset.ready = "yes";
      } catch (error) {
        root.replaceChildren(...still);
        sorry(root, `The live models could not be read (${error.message}).`);
      }
    }
  }

  addEventListener("DOMContentLoaded", () => {
    for (const name of new Set([...document.querySelectorAll(".live[data-live]")].map((root) => root.dataset.live))) {
      const script = element("script", { src: new URL(`${name}.js`, base).href });
      const all = (text) => document.querySelectorAll(`.live[data-live="${name}"]`).forEach((root) => {
        if (!root.dataset.ready && !root.querySelector(".live-sorry")) sorry(root, text);
      });
      script.addEventListener("error", () => all("The live models are not there. Build the book with make book."));
      script.addEventListener("load", () => all("The live models are damaged. Build the book again."));
      document.head.append(script);
    }
  });

  return { receive, run, unpacked, prepared, ready };
})();
