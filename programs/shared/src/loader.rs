//! Reads the headers that the upgradeable loader stores before a program's code, deployed or in a buffer.

/// The account kind `ProgramData` in the loader's state, a u32 little-endian.
const PROGRAM_DATA_KIND: [u8; 4] = [3, 0, 0, 0];
/// The account kind `Buffer`.
const BUFFER_KIND: [u8; 4] = [1, 0, 0, 0];
/// Offset of the code in a buffer, in bytes: kind and authority come before it.
const BUFFER_CODE_OFFSET: usize = 37;
/// Offset of the authority in ProgramData, in bytes: kind and the slot of the last deployment come before it.
const AUTHORITY_OFFSET: usize = 12;

/// The program's upgrade authority: Some(None) when it has none, None when this is no ProgramData account.
pub fn upgrade_authority(data: &[u8]) -> Option<Option<[u8; 32]>> {
    if !data.starts_with(&PROGRAM_DATA_KIND) {
        return None;
    }
    match data.get(AUTHORITY_OFFSET)? {
        0 => Some(None),
        1 => {
            let key = data.get(AUTHORITY_OFFSET + 1..AUTHORITY_OFFSET + 33)?;
            Some(Some(key.try_into().ok()?))
        }
        _ => None,
    }
}

/// The code in a buffer; None when this is no buffer.
pub fn buffer_code(data: &[u8]) -> Option<&[u8]> {
    data.starts_with(&BUFFER_KIND)
        .then(|| data.get(BUFFER_CODE_OFFSET..))
        .flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    fn program_data(option: u8) -> Vec<u8> {
        let mut data = vec![3, 0, 0, 0, 9, 0, 0, 0, 0, 0, 0, 0, option];
        data.extend([7; 32]);
        data.extend(b"\x7fELF");
        data
    }

    #[test]
    fn the_authority_stands_after_kind_and_slot() {
        assert_eq!(upgrade_authority(&program_data(1)), Some(Some([7; 32])));
        assert_eq!(upgrade_authority(&program_data(0)), Some(None));
    }

    #[test]
    fn a_buffers_code_stands_after_kind_and_authority() {
        let mut data = vec![1, 0, 0, 0, 1];
        data.extend([7; 32]);
        assert_eq!(buffer_code(&data), Some(&[][..]));
        assert_eq!(buffer_code(&data[..36]), None);
        data.extend(b"\x7fELF");
        assert_eq!(buffer_code(&data), Some(&b"\x7fELF"[..]));
        assert_eq!(buffer_code(&program_data(1)), None);
    }

    #[test]
    fn anything_else_is_refused() {
        assert_eq!(upgrade_authority(&program_data(2)), None);
        assert_eq!(upgrade_authority(&program_data(1)[..44]), None);
        assert_eq!(upgrade_authority(&[2; 45]), None);
        assert_eq!(upgrade_authority(&[]), None);
    }
}
