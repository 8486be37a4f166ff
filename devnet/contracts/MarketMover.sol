// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

interface ISettableAggregator {
    function setAnswer(int256 answer) external;
}

interface IERC20Transfer {
    function transfer(address to, uint256 amount) external returns (bool);
}

interface IUniswapV3Pool {
    function token0() external view returns (address);

    function token1() external view returns (address);

    function slot0() external view returns (uint160, int24, uint16, uint16, uint16, uint8, bool);

    function swap(
        address recipient,
        bool zeroForOne,
        int256 amountSpecified,
        uint160 sqrtPriceLimitX96,
        bytes calldata data
    ) external returns (int256 amount0, int256 amount1);
}

/// Moves the market: writes feed answers and trades every given Uniswap v3 pool to a given price, in one transaction,
/// so that no block exists in which feed and pool disagree. It trades from its own stock of tokens.
contract MarketMover {
    struct Answer {
        ISettableAggregator aggregator;
        int256 answer;
    }

    struct Target {
        IUniswapV3Pool pool;
        uint160 sqrtPriceX96;
    }

    error NotTrader(address caller);
    error NotTheTradedPool(address caller);

    address public immutable trader;
    address private tradedPool;

    constructor(address trader_) {
        trader = trader_;
    }

    function move(Answer[] calldata answers, Target[] calldata targets) external {
        if (msg.sender != trader) revert NotTrader(msg.sender);
        for (uint256 i = 0; i < answers.length; i++) answers[i].aggregator.setAnswer(answers[i].answer);
        for (uint256 i = 0; i < targets.length; i++) tradeTo(targets[i].pool, targets[i].sqrtPriceX96);
    }

    function tradeTo(IUniswapV3Pool pool, uint160 sqrtPriceX96) private {
        (uint160 current, , , , , , ) = pool.slot0();
        if (current == sqrtPriceX96) return;
        tradedPool = address(pool);
        // The amount is only an upper bound: the swap stops when the price limit is reached.
        pool.swap(address(this), sqrtPriceX96 < current, type(int128).max, sqrtPriceX96, '');
        delete tradedPool;
    }

    function uniswapV3SwapCallback(int256 amount0Delta, int256 amount1Delta, bytes calldata) external {
        if (msg.sender != tradedPool) revert NotTheTradedPool(msg.sender);
        IUniswapV3Pool pool = IUniswapV3Pool(msg.sender);
        if (amount0Delta > 0) IERC20Transfer(pool.token0()).transfer(msg.sender, uint256(amount0Delta));
        if (amount1Delta > 0) IERC20Transfer(pool.token1()).transfer(msg.sender, uint256(amount1Delta));
    }
}
