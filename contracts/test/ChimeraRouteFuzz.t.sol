// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {Errors} from "aave-v3/protocol/libraries/helpers/Errors.sol";
import {IPoolConfigurator} from "aave-v3/interfaces/IPoolConfigurator.sol";

import {Chimera} from "../src/Chimera.sol";
import {Program} from "../src/Program.sol";
import {Roles} from "../src/Roles.sol";
import {Audit} from "./fixtures/Audit.sol";
import {IUniswapV3PoolFull} from "./fixtures/Dex.sol";
import {MorphoMarket} from "./fixtures/MorphoMarket.sol";
import {Liquidation, Plans} from "./fixtures/Plans.sol";
import {TestToken} from "./fixtures/Tokens.sol";
import {Vm, vm, within} from "./fixtures/Vm.sol";

/// @notice Any amount, by any route, at any price: the profit is at least the floor and the books close to the unit, or
///         nothing happens, for a known reason.
contract ChimeraRouteFuzzTest is Audit {
    uint24 private constant FEE_TIER = 3000;
    uint256 private constant ROUTES = 6;

    address private morpho;
    TestToken private dai;
    IUniswapV3PoolFull private tierPool;
    IUniswapV3PoolFull private daiPool;

    function setUp() public override {
        super.setUp();
        morpho = address(new MorphoMarket().morpho());
        usdc.mint(morpho, 1_000_000e6);
        _list(morpho, Roles.Kind.MorphoBlue);
        IPoolConfigurator configurator = IPoolConfigurator(aave.ADDRESSES_PROVIDER().getPoolConfigurator());
        vm.prank(address(market));
        configurator.updateFlashloanPremium(5);
        usdc.mint(treasury, 1_000_000e6);
        vm.prank(treasury);
        usdc.approve(address(chimera), type(uint256).max);

        dai = new TestToken("DAI", 18);
        tierPool = dex.open(weth, WETH_PRICE, usdc, USDC_PRICE, FEE_TIER, 10_000e18);
        daiPool = dex.open(weth, WETH_PRICE, dai, USDC_PRICE, FEE, 10_000e18);
        dex.open(dai, USDC_PRICE, usdc, USDC_PRICE, FEE, 20_000_000e18);
    }

    /// @dev 0 one hop, 1 two hops, 2 two purchases, 3 Morpho's loan and a sale, 4 Aave's, 5 the treasury's tokens.
    function _jobOf(uint256 route, uint256 amount, uint256 shareBps) private view returns (Liquidation memory job) {
        uint256 part = amount * shareBps / 10_000;
        if (route == 0) return _job(_flashSwap(amount));
        if (route == 1) {
            bytes memory purchase = bytes.concat(
                Plans.buy(amount, Plans.uniswap(address(dai), FEE)), Plans.buyOn(Plans.uniswap(Plans.COLLATERAL, FEE))
            );
            return _job(bytes.concat(purchase, Plans.liquidate()));
        }
        if (route == 2) {
            bytes memory purchase = Plans.buy(part + 1, Plans.uniswap(Plans.COLLATERAL, FEE_TIER));
            return _job(bytes.concat(purchase, _flashSwap(amount - part)));
        }
        bytes memory source = Plans.inventory(amount);
        if (route == 3) source = Plans.loan(morpho, amount);
        if (route == 4) source = Plans.loan(address(aave), amount);
        job = _job(
            bytes.concat(
                source,
                Plans.liquidate(),
                Plans.sell(shareBps, Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE_TIER)),
                Plans.sell(10_000, Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE))
            )
        );
        job.flags = Plans.PROFIT_IN_DEBT;
    }

    /// @param skewBps The pools' price against the oracle's: within 3 %; the bonus is 5 %.
    function _setPrices(uint256 priceUsd8, uint256 skewBps) private {
        market.setPrice(address(weth), priceUsd8);
        uint256 poolPrice = priceUsd8 * within(skewBps, 9_700, 10_300) / 10_000;
        dex.moveTo(pool, weth, poolPrice, usdc, USDC_PRICE);
        dex.moveTo(tierPool, weth, poolPrice, usdc, USDC_PRICE);
        dex.moveTo(daiPool, weth, poolPrice, dai, USDC_PRICE);
    }

    /// @param price WETH in the oracle, from deep in bad debt up to the border of health.
    /// @param amount From a hundredth of a dollar to more than there is.
    /// @param shareBps First part of a split purchase or sale.
    /// @param floor Units of the profit token, up to more than any profit here.
    /// @param gift Collateral and debt token units sent beforehand.
    function testFuzz_any_amount_by_any_route(
        uint256 route,
        uint256 price,
        uint256 skewBps,
        uint256 amount,
        uint256 shareBps,
        uint256 floor,
        uint64 gift
    ) public {
        _setPrices(within(price, 1_000e8, 1_818e8), skewBps);
        weth.mint(address(chimera), gift);
        usdc.mint(address(chimera), gift);
        // There are 15,000 USDC of debt; above a health factor of 0.95, Aave takes half of it at a time.
        Liquidation memory job = _jobOf(route % ROUTES, within(amount, 0.01e6, 17_500e6), within(shareBps, 100, 9_900));
        (bool possible, uint256 profit) = _rehearse(job);
        job.minProfit = within(floor, 1, job.flags == Plans.PROFIT_IN_DEBT ? 700e6 : 0.5e18);

        if (!possible || profit < job.minProfit) {
            bytes memory before = _balances();
            (bytes4 selector, bytes memory error) = _errorOf(job);
            if (possible) {
                bytes4 belowFloor = Chimera.ProfitBelowFloor.selector;
                vm.assertEq(error, abi.encodeWithSelector(belowFloor, profit, job.minProfit), "error");
            } else {
                vm.assertTrue(
                    selector == Program.CannotRepay.selector || selector == Errors.MustNotLeaveDust.selector, "reason"
                );
            }
            vm.assertEq(_balances(), before, "something moved");
        } else {
            _runAndCloseBooks(job, profit);
        }
    }

    function _rehearse(Liquidation memory job) private returns (bool possible, uint256 profit) {
        bytes memory plan = _plan(job);
        uint256 before = vm.snapshotState();
        vm.prank(executor);
        try chimera.liquidate(plan) returns (Chimera.Outcome memory outcome) {
            (possible, profit) = (true, outcome.profit);
        } catch {}
        vm.revertToState(before);
    }

    function _runAndCloseBooks(Liquidation memory job, uint256 profit) private {
        uint256 wethBefore = weth.balanceOf(treasury) + weth.balanceOf(address(chimera));
        uint256 usdcBefore = usdc.balanceOf(treasury) + usdc.balanceOf(address(chimera));

        (Chimera.Outcome memory outcome, Vm.Log[] memory logs) = _auditedPlan(job, _plan(job));

        vm.assertEq(outcome.profit, profit, "the floor changes nothing");
        vm.assertGe(outcome.profit, job.minProfit, "floor");
        uint256 usdcGained = usdc.balanceOf(treasury) - usdcBefore;
        vm.assertEq(outcome.swapOutput, outcome.debtCovered + outcome.flashFee + usdcGained, "debt token's books");
        uint256 wethPaid;
        IUniswapV3PoolFull[3] memory pools = [pool, tierPool, daiPool];
        for (uint256 i; i < pools.length; ++i) {
            wethPaid += _moved(logs, address(weth), address(chimera), address(pools[i]));
        }
        uint256 wethGained = weth.balanceOf(treasury) - wethBefore;
        vm.assertEq(outcome.collateralSeized, wethPaid + wethGained, "collateral's books");
    }

    function _balances() private view returns (bytes memory) {
        return abi.encode(
            weth.balanceOf(treasury),
            usdc.balanceOf(treasury),
            weth.balanceOf(address(chimera)),
            usdc.balanceOf(address(chimera)),
            usdc.balanceOf(morpho),
            weth.balanceOf(address(pool))
        );
    }
}
