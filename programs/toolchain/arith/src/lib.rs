//! Integer arithmetic on inputs that the compiler can not see, to test the
//! rewrites of sbf_link.py: op, a (16 bytes), b (16 bytes) in; result, flag out.
#![cfg_attr(not(target_os = "solana"), allow(unused))]

fn checked(v: Option<u128>) -> (u128, u8) {
    match v {
        Some(v) => (v, 0),
        None => (0, 1),
    }
}

// seven arguments: more than BPF has registers for
#[inline(never)]
fn seven(a: u64, b: u64, c: u64, d: u64, e: u64, f: u64, g: u64) -> u64 {
    a ^ b.rotate_left(1)
        ^ c.rotate_left(2)
        ^ d.rotate_left(3)
        ^ e.rotate_left(4)
        ^ f.rotate_left(5)
        ^ g.rotate_left(6)
}

pub fn compute(op: u8, a: u128, b: u128) -> (u128, u8) {
    let (a64, b64) = (a as u64, b as u64);
    let s = (b & 127) as u32;
    match op {
        0 => checked(a64.checked_mul(b64).map(u128::from)),
        1 => checked(
            (a64 as i64)
                .checked_mul(b64 as i64)
                .map(|v| v as u64 as u128),
        ),
        2 => (a.wrapping_mul(b), 0),
        3 => checked(a.checked_mul(b)),
        4 => checked((a as i128).checked_mul(b as i128).map(|v| v as u128)),
        5 => checked(a.checked_div(b)),
        6 => checked(a.checked_rem(b)),
        7 => checked((a as i128).checked_div(b as i128).map(|v| v as u128)),
        8 => checked((a as i128).checked_rem(b as i128).map(|v| v as u128)),
        9 => (a << s, 0),
        10 => (a >> s, 0),
        11 => (((a as i128) >> s) as u128, 0),
        12 => (u128::from(a64) * u128::from(b64), 0),
        13 => (
            a.leading_zeros() as u128
                | (a.count_ones() as u128) << 32
                | (a.trailing_zeros() as u128) << 64,
            0,
        ),
        14 => checked(a.checked_add(b)),
        15 => checked((a as i128).checked_sub(b as i128).map(|v| v as u128)),
        16 => (a64.saturating_mul(b64) as u128, 0),
        17 => checked(((a64 as i64).checked_div(b64 as i64)).map(|v| v as u64 as u128)),
        18 => checked(((a64 as i64).checked_rem(b64 as i64)).map(|v| v as u64 as u128)),
        20 => (
            seven(a64, b64, a64 >> 7, b64 >> 7, a64 >> 9, b64 >> 9, a64 ^ b64) as u128,
            0,
        ),
        21 => (
            ((a as i128).cmp(&(b as i128)) as i8 as u8) as u128
                | ((a.cmp(&b) as i8 as u8) as u128) << 8,
            0,
        ),
        22 => {
            // slices of run-time length: memcpy, memmove, memset, memcmp
            let mut v = vec![0u8; 64];
            let n = (b & 31) as usize;
            v[..16].copy_from_slice(&a.to_le_bytes());
            v.copy_within(0..n, 20);
            v[52..52 + n % 12].fill(7);
            let less = v[20..20 + n] < v[1..1 + n];
            let mut h = 0u128;
            for x in &v {
                h = h.wrapping_mul(257).wrapping_add(*x as u128);
            }
            (h, less as u8)
        }
        23 => ((a64 as f64 * b64 as f64) as u64 as u128, 0),
        24 => ((a64 as f64 * 1e-9) as u64 as u128, 0),
        _ => (0, 2),
    }
}

#[cfg(target_os = "solana")]
mod onchain {
    use pinocchio::syscalls as s;

    pinocchio::default_allocator!();

    /// # Safety
    /// Called by the loader only.
    #[no_mangle]
    pub unsafe extern "C" fn entrypoint(input: *const u8) -> u64 {
        if *(input as *const u64) != 0 {
            return 1;
        }
        let len = *(input.add(8) as *const u64) as usize;
        let data = core::slice::from_raw_parts(input.add(16), len);
        let a = u128::from_le_bytes(data[1..17].try_into().unwrap());
        let b = u128::from_le_bytes(data[17..33].try_into().unwrap());
        let (r, f) = super::compute(data[0], a, b);
        let mut out = [0u8; 17];
        out[..16].copy_from_slice(&r.to_le_bytes());
        out[16] = f;
        s::sol_set_return_data(out.as_ptr(), 17);
        0
    }
}
