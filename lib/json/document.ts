export class JSONDocument { constructor(readonly native: object, readonly hooks: object) {} }
