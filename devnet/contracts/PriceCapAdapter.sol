// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

interface IFeed {
    function decimals() external view returns (uint8);

    function latestAnswer() external view returns (int256);
}

/// A price source of Aave over a feed: the feed's answer, and no more than a cap. It names its feed as Aave's
/// PriceCapAdapterStable does, and like that one it has no rounds.
contract PriceCapAdapter {
    IFeed public immutable ASSET_TO_USD_AGGREGATOR;
    int256 public immutable cap;

    constructor(IFeed feed, int256 cap_) {
        ASSET_TO_USD_AGGREGATOR = feed;
        cap = cap_;
    }

    function decimals() external view returns (uint8) {
        return ASSET_TO_USD_AGGREGATOR.decimals();
    }

    function latestAnswer() external view returns (int256) {
        int256 answer = ASSET_TO_USD_AGGREGATOR.latestAnswer();
        return answer < cap ? answer : cap;
    }
}
