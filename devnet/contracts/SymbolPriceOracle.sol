// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

interface IFeed {
    function latestAnswer() external view returns (int256);
}

interface IToken {
    function symbol() external view returns (string memory);

    function decimals() external view returns (uint8);
}

interface IMarket is IToken {
    function underlying() external view returns (IToken);
}

/// The price oracle of a Compound v2 Comptroller that finds a feed by the symbol of the token and tells it, as
/// Moonwell's ChainlinkOracle does. A market of the native coin has the feed of WETH.
contract SymbolPriceOracle {
    /// The Comptroller asks for it before it takes an oracle.
    bool public constant isPriceOracle = true;

    mapping(string symbol => IFeed feed) private feeds;

    constructor(string[] memory symbols, IFeed[] memory feeds_) {
        for (uint256 i = 0; i < symbols.length; i++) {
            feeds[symbols[i]] = feeds_[i];
        }
    }

    function getFeed(string memory symbol) public view returns (IFeed) {
        return feeds[symbol];
    }

    /// @return USD per whole token, scaled by 10^(36 - its decimals). Zero, which the Comptroller takes for an error,
    /// without a feed and for a price below or at zero.
    function getUnderlyingPrice(IMarket market) external view returns (uint256) {
        (string memory symbol, uint8 decimals) = tokenOf(market);
        IFeed feed = getFeed(symbol);
        if (address(feed) == address(0)) return 0;
        int256 answer = feed.latestAnswer();
        return answer > 0 ? uint256(answer) * 10 ** (36 - 8 - decimals) : 0;
    }

    function tokenOf(IMarket market) private view returns (string memory, uint8) {
        try market.underlying() returns (IToken token) {
            return (token.symbol(), token.decimals());
        } catch {
            return ("WETH", 18);
        }
    }
}
