// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

interface IMorpho {
    struct MarketParams {
        address loanToken;
        address collateralToken;
        address oracle;
        address irm;
        uint256 lltv;
    }

    /// @notice Takes collateral of an unhealthy position and repays its debt. With data, the collateral comes first,
    ///         then `onMorphoLiquidate`, then the debt is pulled.
    /// @dev One of `seizedAssets` (collateral units) and `repaidShares` (borrow shares) must be zero.
    /// @return seized Collateral units.
    /// @return repaid Loan token units.
    function liquidate(
        MarketParams calldata marketParams,
        address borrower,
        uint256 seizedAssets,
        uint256 repaidShares,
        bytes calldata data
    ) external returns (uint256 seized, uint256 repaid);

    function position(bytes32 id, address account)
        external
        view
        returns (uint256 supplyShares, uint128 borrowShares, uint128 collateral);

    /// @notice Lends without a fee, calls `onMorphoFlashLoan` on the caller, and pulls the loan back.
    function flashLoan(address token, uint256 assets, bytes calldata data) external;
}

interface IMorphoFlashLoanCallback {
    /// @param assets Token units lent.
    function onMorphoFlashLoan(uint256 assets, bytes calldata data) external;
}

interface IMorphoLiquidateCallback {
    /// @param repaidAssets Loan token units that will be pulled.
    function onMorphoLiquidate(uint256 repaidAssets, bytes calldata data) external;
}
