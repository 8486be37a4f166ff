// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

interface IComptroller {
    /// @dev The first of two (Moonwell) or three (Compound) fields.
    function markets(address mToken) external view returns (bool isListed);
}

/// @notice A cToken or mToken over an ERC-20. Both functions return an error code, 0 for success.
interface IMToken {
    /// @param repayAmount Units of the underlying token, pulled by allowance.
    /// @param mTokenCollateral Market whose mTokens are seized, for the caller.
    function liquidateBorrow(address borrower, uint256 repayAmount, address mTokenCollateral)
        external
        returns (uint256 errorCode);

    /// @notice Turns mTokens into the underlying token, or into native coin.
    function redeem(uint256 mTokens) external returns (uint256 errorCode);

    /// @notice The account's debt, token units, with interest up to the last time that the market accrued.
    function borrowBalanceStored(address account) external view returns (uint256);

    /// @notice The token that it is over; a market of native coin has no such function.
    function underlying() external view returns (address);
}
