// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

interface IFeed {
    function latestAnswer() external view returns (int256);
}

/// The price oracle of one Morpho Blue market, over two Chainlink-style feeds of the same decimals.
contract MorphoFeedOracle {
    IFeed public immutable collateralFeed;
    IFeed public immutable loanFeed;

    /// 10^(36 + decimals of the loan token - decimals of the collateral token)
    uint256 public immutable scale;

    constructor(IFeed collateralFeed_, IFeed loanFeed_, uint8 collateralDecimals, uint8 loanDecimals) {
        collateralFeed = collateralFeed_;
        loanFeed = loanFeed_;
        scale = 10 ** (36 + loanDecimals - collateralDecimals);
    }

    /// @return Smallest units of the loan token per smallest unit of the collateral token, scaled by 1e36, rounded down.
    function price() external view returns (uint256) {
        return (uint256(collateralFeed.latestAnswer()) * scale) / uint256(loanFeed.latestAnswer());
    }
}
