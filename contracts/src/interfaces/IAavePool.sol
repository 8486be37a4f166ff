// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

/// @notice The functions of an Aave v3 Pool that Chimera calls.
interface IAavePool {
    /// @dev The same words since Aave v3.0; newer versions keep the layout for old readers (DataTypes.ReserveDataLegacy).
    struct ReserveData {
        uint256 configuration;
        uint128 liquidityIndex;
        uint128 currentLiquidityRate;
        uint128 variableBorrowIndex;
        uint128 currentVariableBorrowRate;
        uint128 currentStableBorrowRate;
        uint40 lastUpdateTimestamp;
        uint16 id;
        address aTokenAddress;
    }

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

    /// @notice Lends `amount` of `asset`, calls `executeOperation` on the receiver, and pulls loan and premium back.
    function flashLoanSimple(
        address receiver,
        address asset,
        uint256 amount,
        bytes calldata params,
        uint16 referralCode
    ) external;

    function getReserveData(address asset) external view returns (ReserveData memory);

    /// @notice The asset of a reserve, zero when there is none of that id.
    function getReserveAddressById(uint16 id) external view returns (address);
}

interface IAaveDebtToken {
    /// @notice The account's debt divided by the reserve's borrow index: interest does not change it.
    function scaledBalanceOf(address account) external view returns (uint256);
}

interface IAaveFlashBorrower {
    /// @param asset Token lent.
    /// @param amount Token units lent.
    /// @param premium Token units due on top.
    /// @param initiator Account that asked for the loan.
    /// @param params As given to `flashLoanSimple`.
    /// @return Must be true.
    function executeOperation(address asset, uint256 amount, uint256 premium, address initiator, bytes calldata params)
        external
        returns (bool);
}
