// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20, SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

interface IConcentratedPool {
    function token0() external view returns (address);

    function token1() external view returns (address);

    function liquidity() external view returns (uint128);

    /// The first two words; what follows differs from exchange to exchange.
    function slot0() external view returns (uint160 sqrtPriceX96, int24 tick);

    function mint(address recipient, int24 tickLower, int24 tickUpper, uint128 amount, bytes calldata data)
        external
        returns (uint256 amount0, uint256 amount1);

    function burn(int24 tickLower, int24 tickUpper, uint128 amount) external returns (uint256 amount0, uint256 amount1);

    function swap(
        address recipient,
        bool zeroForOne,
        int256 amountSpecified,
        uint160 sqrtPriceLimitX96,
        bytes calldata data
    ) external returns (int256 amount0, int256 amount1);
}

interface ISolidlyReserves {
    function token0() external view returns (address);

    function token1() external view returns (address);

    function reserve0() external view returns (uint256);

    function reserve1() external view returns (uint256);

    function getAmountOut(uint256 amountIn, address tokenIn) external view returns (uint256);

    function swap(uint256 amount0Out, uint256 amount1Out, address to, bytes calldata data) external;
}

/// Does many things at many pools in one call, and tells what each did: as an eth_call it is a quoter, as a transaction
/// it trades. It pays from its own stock of tokens. What reverts, or is not done as a whole, changes nothing, and the
/// next one follows on the same state. Pools of Uniswap v3, Slipstream, Pancake v3 and Solidly.
contract PoolTrader {
    using SafeERC20 for IERC20;

    /// @param amount as in v3's swap: positive is exact input, negative is exact output
    struct Order {
        address pool;
        bool zeroForOne;
        int256 amount;
    }

    /// @param done false where the swap reverted, gave nothing, or stopped before its amount: all else is 0 then
    struct Filled {
        bool done;
        int256 amount0;
        int256 amount1;
        uint160 sqrtPriceX96;
        int24 tick;
        uint128 liquidity;
    }

    /// @param liquidity what is added; negative is taken away
    struct Position {
        address pool;
        int24 tickLower;
        int24 tickUpper;
        int128 liquidity;
    }

    struct Sale {
        address pool;
        bool zeroForOne;
        uint256 amountIn;
    }

    /// @param done false where the quote or the swap reverted, or it gave nothing
    struct Sold {
        bool done;
        uint256 amountOut;
        uint256 reserve0;
        uint256 reserve1;
    }

    error NotDone();
    error OnlyItself();

    /// @dev A swap without a price limit: TickMath.MIN_SQRT_RATIO + 1 and MAX_SQRT_RATIO - 1.
    uint160 private constant LOWEST = 4295128740;
    uint160 private constant HIGHEST = 1461446703485210103287273052203988822378723970341;

    function provide(Position[] calldata positions) external {
        for (uint256 i = 0; i < positions.length; i++) {
            Position calldata one = positions[i];
            IConcentratedPool pool = IConcentratedPool(one.pool);
            if (one.liquidity > 0) {
                pool.mint(address(this), one.tickLower, one.tickUpper, uint128(one.liquidity), "");
            } else {
                pool.burn(one.tickLower, one.tickUpper, uint128(-one.liquidity));
            }
        }
    }

    function fill(Order[] calldata orders) external returns (Filled[] memory filled) {
        filled = new Filled[](orders.length);
        for (uint256 i = 0; i < orders.length; i++) {
            try this.fillOne(orders[i]) returns (Filled memory one) {
                filled[i] = one;
            } catch {}
        }
    }

    function fillOne(Order calldata order) external onlyItself returns (Filled memory filled) {
        IConcentratedPool pool = IConcentratedPool(order.pool);
        (int256 amount0, int256 amount1) =
            pool.swap(address(this), order.zeroForOne, order.amount, order.zeroForOne ? LOWEST : HIGHEST, "");
        (int256 taken, int256 given) = order.zeroForOne ? (amount0, -amount1) : (amount1, -amount0);
        if (given == 0 || (order.amount > 0 ? taken != order.amount : given != -order.amount)) revert NotDone();
        (uint160 sqrtPriceX96, int24 tick) = pool.slot0();
        return Filled(true, amount0, amount1, sqrtPriceX96, tick, pool.liquidity());
    }

    function sell(Sale[] calldata sales) external returns (Sold[] memory sold) {
        sold = new Sold[](sales.length);
        for (uint256 i = 0; i < sales.length; i++) {
            try this.sellOne(sales[i]) returns (Sold memory one) {
                sold[i] = one;
            } catch {}
        }
    }

    function sellOne(Sale calldata sale) external onlyItself returns (Sold memory) {
        ISolidlyReserves pool = ISolidlyReserves(sale.pool);
        address tokenIn = sale.zeroForOne ? pool.token0() : pool.token1();
        uint256 amountOut = pool.getAmountOut(sale.amountIn, tokenIn);
        IERC20(tokenIn).safeTransfer(sale.pool, sale.amountIn);
        pool.swap(sale.zeroForOne ? 0 : amountOut, sale.zeroForOne ? amountOut : 0, address(this), "");
        return Sold(true, amountOut, pool.reserve0(), pool.reserve1());
    }

    /// @return the quote of each; the largest number where it reverts
    function quote(Sale[] calldata sales) external view returns (uint256[] memory) {
        uint256[] memory quotes = new uint256[](sales.length);
        for (uint256 i = 0; i < sales.length; i++) {
            ISolidlyReserves pool = ISolidlyReserves(sales[i].pool);
            address tokenIn = sales[i].zeroForOne ? pool.token0() : pool.token1();
            try pool.getAmountOut(sales[i].amountIn, tokenIn) returns (uint256 amountOut) {
                quotes[i] = amountOut;
            } catch {
                quotes[i] = type(uint256).max;
            }
        }
        return quotes;
    }

    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata) external {
        payForSwap(amount0, amount1);
    }

    function pancakeV3SwapCallback(int256 amount0, int256 amount1, bytes calldata) external {
        payForSwap(amount0, amount1);
    }

    function uniswapV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata) external {
        pay(amount0, amount1);
    }

    function pancakeV3MintCallback(uint256 amount0, uint256 amount1, bytes calldata) external {
        pay(amount0, amount1);
    }

    function payForSwap(int256 amount0, int256 amount1) private {
        pay(amount0 > 0 ? uint256(amount0) : 0, amount1 > 0 ? uint256(amount1) : 0);
    }

    /// @dev It pays every caller, so it must hold nothing of value: it is for the local chain only.
    function pay(uint256 amount0, uint256 amount1) private {
        IConcentratedPool pool = IConcentratedPool(msg.sender);
        if (amount0 > 0) IERC20(pool.token0()).safeTransfer(msg.sender, amount0);
        if (amount1 > 0) IERC20(pool.token1()).safeTransfer(msg.sender, amount1);
    }

    modifier onlyItself() {
        if (msg.sender != address(this)) revert OnlyItself();
        _;
    }
}
