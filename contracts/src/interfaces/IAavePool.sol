// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// @notice The one function of an Aave v3 Pool that Chimera calls.
interface IAavePool {
    /// @notice Repays debt of a borrower whose health factor is below 1 and takes collateral, plus the liquidation
    ///         bonus, for it. Aave lowers `debtToCover` to what close factor and collateral allow and pulls only that.
    /// @param collateralAsset Token the caller receives.
    /// @param debtAsset Token the caller pays, by allowance to the pool.
    /// @param borrower Account being liquidated.
    /// @param debtToCover Debt token units offered.
    /// @param receiveAToken True for the interest-bearing token in place of the collateral itself.
    function liquidationCall(
        address collateralAsset,
        address debtAsset,
        address borrower,
        uint256 debtToCover,
        bool receiveAToken
    ) external;
}
