// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// @notice A vault over one token, whose shares are tokens themselves (ERC-4626). What it returns is not read.
interface IErc4626 {
    /// @notice Burns shares of `owner` and sends what they are worth to `receiver`.
    function redeem(uint256 shares, address receiver, address owner) external;
}

/// @notice A token that wraps another one at a rate, as wstETH and weETH do. What it returns is not read.
interface IUnwrapper {
    /// @notice Burns the caller's tokens and sends what they are worth to the caller.
    function unwrap(uint256 amount) external;
}
