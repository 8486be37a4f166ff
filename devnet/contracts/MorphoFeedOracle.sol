// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

interface IFeed {
    function latestAnswer() external view returns (int256);
}

/// The price oracle of one Morpho Blue market, over two Chainlink-style feeds of the same decimals. It has the getters and
/// the formula of MorphoChainlinkOracleV2, for one feed on each side and no vault.
contract MorphoFeedOracle {
    address public constant BASE_VAULT = address(0);
    uint256 public constant BASE_VAULT_CONVERSION_SAMPLE = 1;
    address public constant QUOTE_VAULT = address(0);
    uint256 public constant QUOTE_VAULT_CONVERSION_SAMPLE = 1;

    /// Of the collateral token.
    IFeed public immutable BASE_FEED_1;
    address public constant BASE_FEED_2 = address(0);
    /// Of the loan token.
    IFeed public immutable QUOTE_FEED_1;
    address public constant QUOTE_FEED_2 = address(0);

    /// 10^(36 + decimals of the loan token - decimals of the collateral token)
    uint256 public immutable SCALE_FACTOR;

    constructor(IFeed collateralFeed, IFeed loanFeed, uint8 collateralDecimals, uint8 loanDecimals) {
        BASE_FEED_1 = collateralFeed;
        QUOTE_FEED_1 = loanFeed;
        SCALE_FACTOR = 10 ** (36 + loanDecimals - collateralDecimals);
    }

    /// @return Smallest units of the loan token per smallest unit of the collateral token, scaled by 1e36, rounded down.
    function price() external view returns (uint256) {
        return SCALE_FACTOR * uint256(BASE_FEED_1.latestAnswer()) / uint256(QUOTE_FEED_1.latestAnswer());
    }
}
