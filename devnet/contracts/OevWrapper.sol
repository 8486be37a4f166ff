// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

interface IFeed {
    function latestAnswer() external view returns (int256);

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80);
}

/// A wrapper around a feed that can be told from a feed as Moonwell's ChainlinkOEVWrapper can. It withholds no
/// price, and has no function that liquidates.
contract OevWrapper {
    IFeed public immutable priceFeed;
    uint256 public constant cachedRoundId = 1;
    uint256 public constant maxRoundDelay = 10;
    uint16 public constant liquidatorFeeBps = 4000;
    uint8 public constant decimals = 8;

    constructor(IFeed feed) {
        priceFeed = feed;
    }

    function latestAnswer() external view returns (int256) {
        return priceFeed.latestAnswer();
    }

    function latestRoundData() external view returns (uint80, int256, uint256, uint256, uint80) {
        return priceFeed.latestRoundData();
    }
}
