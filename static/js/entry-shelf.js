// What this machine keeps: one entry per person, filing and part of it (a form's cells, its explanations being
// written, the head). Two tabs share it, so every change reads what stands there before it writes.

export class Shelf {
  constructor(key) {
    this.key = key;
    this.works = true;
  }

  all() {
    try {
      return JSON.parse(localStorage.getItem(this.key)) ?? {};
    } catch {
      return {};
    }
  }

  names() {
    return Object.keys(this.all());
  }

  change(edit) {
    try {
      const kept = this.all();
      edit(kept);
      if (Object.keys(kept).length) localStorage.setItem(this.key, JSON.stringify(kept));
      else localStorage.removeItem(this.key);
      this.works = true;
    } catch {
      this.works = false;
    }
  }
}

const key = (state, name) => `songwennuan:${state.person}:${state.filing}:${name}`;

// part: a form's slug, or "head"
export const shelfOf = (state, part) => new Shelf(key(state, part));

// rule → the explanation as far as it is written
export const draftsOf = (state, slug) => new Shelf(key(state, `${slug}:explain`));
