//! Structs that start with their size, so that a program and a library of different versions understand each other.

use crate::status::{PC_NULL, PC_WRONG_SIZE, pc_status};
use std::slice;

/// More than any struct will ever have: what claims more is no struct.
const MOST: usize = 4096;

/// A struct whose first field is its size, a `u32`.
///
/// # Safety
///
/// It is `repr(C)`, begins with the size, and any bytes that C may have put into its fields are a value of it.
pub(crate) unsafe trait Sized32: Copy {}

/// Reads a struct of C's.
///
/// # Safety
///
/// `from` is null, or points to as many bytes as the size there says, which do not change for `'a`.
#[inline]
pub(crate) unsafe fn read<'a, T: Sized32>(from: *const T) -> Result<&'a T, pc_status> {
    // SAFETY: the same.
    unsafe { check_size(from) }?;
    // SAFETY: it has the fields of `T` at least.
    Ok(unsafe { &*from })
}

/// Checks that a struct of C's has all fields of `T`, and nothing but zeros after them: a program that is newer than this
/// library may have more fields, and as long as these are zero it asks for nothing that is not here.
///
/// # Safety
///
/// As for [`read`].
#[inline]
pub(crate) unsafe fn check_size<T: Sized32>(from: *const T) -> Result<(), pc_status> {
    if from.is_null() {
        return Err(PC_NULL);
    }
    if !from.is_aligned() {
        return Err(PC_WRONG_SIZE);
    }
    // SAFETY: a size is there.
    let size = unsafe { from.cast::<u32>().read() } as usize;
    if size == size_of::<T>() {
        return Ok(());
    }
    if size < size_of::<T>() || size > MOST {
        return Err(PC_WRONG_SIZE);
    }
    // SAFETY: so many bytes are there.
    let all = unsafe { slice::from_raw_parts(from.cast::<u8>(), size) };
    if all[size_of::<T>()..].iter().all(|byte| *byte == 0) { Ok(()) } else { Err(PC_WRONG_SIZE) }
}
