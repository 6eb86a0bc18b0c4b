//! Object files written byte by byte, so that any number in them can be a lie.

/// SHT_*.
pub(crate) const PROGBITS: u32 = 1;
pub(crate) const SYMTAB: u32 = 2;
pub(crate) const STRTAB: u32 = 3;
pub(crate) const NOBITS: u32 = 8;
pub(crate) const REL: u32 = 9;
/// `SHF_ALLOC`, with `SHF_WRITE` or `SHF_EXECINSTR`.
pub(crate) const DATA: u64 = 3;
pub(crate) const CODE: u64 = 6;

/// `r0 = 0; exit`.
pub(crate) const EXIT: [u8; 16] = [0xb7, 0, 0, 0, 0, 0, 0, 0, 0x95, 0, 0, 0, 0, 0, 0, 0];

/// A section. Its bytes are written one after the other, unless `place` tells where they are said to be and how many.
#[derive(Debug, Clone, Default)]
pub(crate) struct Section {
    pub(crate) name: u32,
    pub(crate) kind: u32,
    pub(crate) flags: u64,
    pub(crate) data: Vec<u8>,
    pub(crate) link: u32,
    pub(crate) info: u32,
    pub(crate) entry: u64,
    pub(crate) place: Option<(u64, u64)>,
}

/// A file: section 0 is the null section, section 1 the names, section 2 the symbols.
pub(crate) struct File {
    pub(crate) is_big: bool,
    pub(crate) names: Vec<u8>,
    pub(crate) symbols: Vec<u8>,
    pub(crate) sections: Vec<Section>,
}

impl File {
    pub(crate) fn new() -> Self {
        Self { is_big: false, names: vec![0], symbols: vec![0; 24], sections: Vec::new() }
    }

    /// The offset of a name.
    pub(crate) fn name(&mut self, name: impl AsRef<[u8]>) -> u32 {
        let at = self.names.len() as u32;
        self.names.extend(name.as_ref());
        self.names.push(0);
        at
    }

    /// Adds a section; its number.
    pub(crate) fn add(&mut self, section: Section) -> u32 {
        self.sections.push(section);
        self.sections.len() as u32 + 2
    }

    /// A section of this name; its number.
    pub(crate) fn section(&mut self, name: &str, flags: u64, data: &[u8]) -> u32 {
        let name = self.name(name);
        self.add(Section { name, kind: PROGBITS, flags, data: data.to_vec(), ..Section::default() })
    }

    /// A symbol by the offset of its name; its number. `info` is the binding and the type: 0x12 is a global function, 0x11 a global variable.
    pub(crate) fn symbol(&mut self, name: u32, info: u8, section: u32, value: u64, size: u64) -> u32 {
        let number = self.symbols.len() as u32 / 24;
        self.symbols.extend(self.u32(name));
        self.symbols.extend([info, 0]);
        self.symbols.extend(self.u16(section as u16));
        self.symbols.extend(self.u64(value));
        self.symbols.extend(self.u64(size));
        number
    }

    /// A global function.
    pub(crate) fn function(&mut self, name: &str, section: u32, value: u64, size: u64) -> u32 {
        let name = self.name(name);
        self.symbol(name, 0x12, section, value, size)
    }

    /// A file with a filter that does nothing.
    pub(crate) fn with_filter() -> Self {
        let mut file = Self::new();
        let section = file.section("socket", CODE, &EXIT);
        file.function("filter", section, 0, EXIT.len() as u64);
        file
    }

    fn u16(&self, number: u16) -> [u8; 2] {
        if self.is_big { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn u32(&self, number: u32) -> [u8; 4] {
        if self.is_big { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    fn u64(&self, number: u64) -> [u8; 8] {
        if self.is_big { number.to_be_bytes() } else { number.to_le_bytes() }
    }

    pub(crate) fn build(&self) -> Vec<u8> {
        const HEADER: usize = 64;
        let names = Section { kind: STRTAB, data: self.names.clone(), ..Section::default() };
        let symbols =
            Section { kind: SYMTAB, data: self.symbols.clone(), link: 1, entry: 24, info: 1, ..Section::default() };
        let all: Vec<_> = [Section::default(), names, symbols].into_iter().chain(self.sections.clone()).collect();
        let mut bodies = Vec::new();
        let mut headers = Vec::new();
        for section in &all {
            let (start, size) = section.place.unwrap_or(((HEADER + bodies.len()) as u64, section.data.len() as u64));
            bodies.extend(&section.data);
            bodies.resize(bodies.len().next_multiple_of(8), 0);
            headers.extend(self.u32(section.name));
            headers.extend(self.u32(section.kind));
            headers.extend([section.flags, 0, start, size].map(|number| self.u64(number)).concat());
            headers.extend([section.link, section.info].map(|number| self.u32(number)).concat());
            headers.extend([8, section.entry].map(|number| self.u64(number)).concat());
        }
        let order = if self.is_big { 2 } else { 1 };
        let mut file = [&[0x7f, b'E', b'L', b'F', 2, order, 1, 0][..], &[0; 8]].concat();
        file.extend([1, 247].map(|number| self.u16(number)).concat());
        file.extend(self.u32(1));
        file.extend([0, 0, (HEADER + bodies.len()) as u64].map(|number| self.u64(number)).concat());
        file.extend(self.u32(0));
        file.extend([64, 0, 0, 64, all.len() as u16, 1].map(|number| self.u16(number)).concat());
        [file, bodies, headers].concat()
    }
}
