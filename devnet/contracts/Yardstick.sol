// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20, SafeERC20} from "@openzeppelin/contracts/token/ERC20/utils/SafeERC20.sol";

interface IYardstickLender {
    function liquidationCall(
        address collateral,
        address debt,
        address borrower,
        uint256 debtToCover,
        bool receiveAToken
    ) external;
}

interface IYardstickPool {
    function token0() external view returns (address);

    function token1() external view returns (address);

    function swap(
        address recipient,
        bool zeroForOne,
        int256 amountSpecified,
        uint160 sqrtPriceLimitX96,
        bytes calldata data
    ) external returns (int256 amount0, int256 amount1);
}

interface IYardstickReserves {
    function getAmountOut(uint256 amountIn, address tokenIn) external view returns (uint256);

    function swap(uint256 amount0Out, uint256 amount1Out, address to, bytes calldata data) external;
}

/// Says what a liquidation would bring, by doing it: it repays from its own stock, and then tries many ways to turn the
/// collateral into what was repaid, each on the same state. It pays every pool that calls back, so it must hold nothing
/// of value: it is for the local chain only.
contract Yardstick {
    using SafeERC20 for IERC20;

    struct Order {
        address market;
        address borrower;
        address collateral;
        address debt;
        uint256 debtToCover;
    }

    /// @param reserves whether the pool is of Solidly's kind; otherwise of Uniswap v3's
    struct Leg {
        address pool;
        bool reserves;
        bool zeroForOne;
    }

    /// @param done false where a pool of the way could not do all of it
    /// @param amount debt that the sale of everything seized brings, or collateral that the debt repaid costs
    struct Way {
        bool done;
        uint256 amount;
        uint256 gas;
    }

    struct Outcome {
        uint256 repaid;
        uint256 seized;
        uint256 gas;
        Way[] sales;
        Way[] purchases;
    }

    error Tried(uint256 amount, uint256 gas);
    error NotDone();
    error OnlyItself();

    /// @dev A swap without a price limit: TickMath.MIN_SQRT_RATIO + 1 and MAX_SQRT_RATIO - 1.
    uint160 private constant LOWEST = 4295128740;
    uint160 private constant HIGHEST = 1461446703485210103287273052203988822378723970341;

    /// @param sales ways from the collateral to the debt, on which everything seized is sold
    /// @param purchases ways from the collateral to the debt, on which what was repaid is bought
    function look(Order calldata order, Leg[][] calldata sales, Leg[][] calldata purchases)
        external
        returns (Outcome memory outcome)
    {
        (outcome.repaid, outcome.seized, outcome.gas) = liquidate(order);
        outcome.sales = new Way[](sales.length);
        for (uint256 i = 0; i < sales.length; i++) {
            try this.trySale(sales[i], outcome.seized) {}
            catch (bytes memory data) {
                outcome.sales[i] = wayOf(data);
            }
        }
        outcome.purchases = new Way[](purchases.length);
        for (uint256 i = 0; i < purchases.length; i++) {
            try this.tryPurchase(purchases[i], outcome.repaid) {}
            catch (bytes memory data) {
                outcome.purchases[i] = wayOf(data);
            }
        }
    }

    /// For good, on one way.
    function commit(Order calldata order, Leg[] calldata way, bool isSale) external {
        (uint256 repaid, uint256 seized,) = liquidate(order);
        if (isSale) sale(way, seized);
        else purchase(way, repaid);
    }

    function trySale(Leg[] calldata way, uint256 amountIn) external onlyItself {
        uint256 before = gasleft();
        uint256 amountOut = sale(way, amountIn);
        revert Tried(amountOut, before - gasleft());
    }

    function tryPurchase(Leg[] calldata way, uint256 amountOut) external onlyItself {
        uint256 before = gasleft();
        uint256 amountIn = purchase(way, amountOut);
        revert Tried(amountIn, before - gasleft());
    }

    function uniswapV3SwapCallback(int256 amount0, int256 amount1, bytes calldata) external {
        pay(amount0, amount1);
    }

    function pancakeV3SwapCallback(int256 amount0, int256 amount1, bytes calldata) external {
        pay(amount0, amount1);
    }

    function liquidate(Order calldata order) private returns (uint256 repaid, uint256 seized, uint256 gas) {
        (IERC20 collateral, IERC20 debt) = (IERC20(order.collateral), IERC20(order.debt));
        debt.forceApprove(order.market, type(uint256).max);
        repaid = debt.balanceOf(address(this));
        seized = collateral.balanceOf(address(this));
        gas = gasleft();
        IYardstickLender(order.market)
            .liquidationCall(order.collateral, order.debt, order.borrower, order.debtToCover, false);
        gas -= gasleft();
        repaid -= debt.balanceOf(address(this));
        seized = collateral.balanceOf(address(this)) - seized;
    }

    function sale(Leg[] calldata way, uint256 amount) private returns (uint256) {
        for (uint256 i = 0; i < way.length; i++) {
            Leg calldata leg = way[i];
            if (leg.reserves) {
                IYardstickPool pool = IYardstickPool(leg.pool);
                address tokenIn = leg.zeroForOne ? pool.token0() : pool.token1();
                uint256 amountOut = IYardstickReserves(leg.pool).getAmountOut(amount, tokenIn);
                IERC20(tokenIn).safeTransfer(leg.pool, amount);
                IYardstickReserves(leg.pool)
                    .swap(leg.zeroForOne ? 0 : amountOut, leg.zeroForOne ? amountOut : 0, address(this), "");
                amount = amountOut;
            } else {
                (uint256 taken, uint256 given) = swap(leg, int256(amount));
                if (taken != amount || given == 0) revert NotDone();
                amount = given;
            }
        }
        return amount;
    }

    function purchase(Leg[] calldata way, uint256 amount) private returns (uint256) {
        for (uint256 i = way.length; i > 0; i--) {
            (uint256 taken, uint256 given) = swap(way[i - 1], -int256(amount));
            if (given != amount) revert NotDone();
            amount = taken;
        }
        return amount;
    }

    function swap(Leg calldata leg, int256 amount) private returns (uint256 taken, uint256 given) {
        (int256 amount0, int256 amount1) =
            IYardstickPool(leg.pool).swap(address(this), leg.zeroForOne, amount, leg.zeroForOne ? LOWEST : HIGHEST, "");
        return leg.zeroForOne ? (uint256(amount0), uint256(-amount1)) : (uint256(amount1), uint256(-amount0));
    }

    function pay(int256 amount0, int256 amount1) private {
        IYardstickPool pool = IYardstickPool(msg.sender);
        if (amount0 > 0) IERC20(pool.token0()).safeTransfer(msg.sender, uint256(amount0));
        if (amount1 > 0) IERC20(pool.token1()).safeTransfer(msg.sender, uint256(amount1));
    }

    function wayOf(bytes memory data) private pure returns (Way memory way) {
        if (data.length != 68 || bytes4(data) != Tried.selector) return way;
        way.done = true;
        assembly ("memory-safe") {
            mstore(add(way, 0x20), mload(add(data, 0x24)))
            mstore(add(way, 0x40), mload(add(data, 0x44)))
        }
    }

    modifier onlyItself() {
        if (msg.sender != address(this)) revert OnlyItself();
        _;
    }
}
