// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

interface IFeed {
    function latestAnswer() external view returns (int256);
}

/// The price oracle of a Compound v2 Comptroller, over Chainlink-style feeds of USD with 8 decimals.
contract FeedPriceOracle {
    struct Source {
        address market;
        IFeed feed;
        uint8 underlyingDecimals;
    }

    /// The Comptroller asks for it before it takes an oracle.
    bool public constant isPriceOracle = true;

    mapping(address market => Source source) private sources;

    constructor(Source[] memory sources_) {
        for (uint256 i = 0; i < sources_.length; i++) {
            sources[sources_[i].market] = sources_[i];
        }
    }

    /// @return USD per whole underlying token, scaled by 10^(36 - its decimals): times an amount in smallest units it
    /// gives USD scaled by 1e36. Zero, which the Comptroller takes for an error, for an unknown market and a price below
    /// or at zero.
    function getUnderlyingPrice(address market) external view returns (uint256) {
        Source memory source = sources[market];
        if (address(source.feed) == address(0)) return 0;
        int256 answer = source.feed.latestAnswer();
        return answer > 0 ? uint256(answer) * 10 ** (36 - 8 - source.underlyingDecimals) : 0;
    }
}
