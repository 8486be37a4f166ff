// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// @notice Reads a plan, the packed bytes that `Chimera` executes: fields by their offset, then `skip` over them.
/// @dev Only `skip` looks at the length: of a plan that ends too early a field may be garbage, and the `skip` over it
///      reverts.
///      Solidity's own slices check both bounds of every field, which made up a tenth of our own gas.
library PlanReader {
    /// @dev The plan ends in the middle of a field.
    error PlanTooShort();

    /// @notice The big-endian number of `size` bytes (1 to 32) at `offset`.
    function uintAt(bytes calldata plan, uint256 offset, uint256 size) internal pure returns (uint256 value) {
        assembly ("memory-safe") {
            value := shr(sub(256, shl(3, size)), calldataload(add(plan.offset, offset)))
        }
    }

    /// @notice The address at `offset`.
    function addressAt(bytes calldata plan, uint256 offset) internal pure returns (address value) {
        assembly ("memory-safe") {
            value := shr(96, calldataload(add(plan.offset, offset)))
        }
    }

    /// @notice What follows the first `size` bytes.
    function skip(bytes calldata plan, uint256 size) internal pure returns (bytes calldata rest) {
        if (plan.length < size) revert PlanTooShort();
        assembly ("memory-safe") {
            rest.offset := add(plan.offset, size)
            rest.length := sub(plan.length, size)
        }
    }
}
