// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {Chimera} from "../src/Chimera.sol";
import {Program} from "../src/Program.sol";
import {Swaps} from "../src/Swaps.sol";
import {IUniswapV3PoolFull} from "./fixtures/Dex.sol";
import {Liquidation, Plans} from "./fixtures/Plans.sol";
import {RouteFixture} from "./fixtures/RouteFixture.sol";
import {TestToken} from "./fixtures/Tokens.sol";
import {Vm, vm} from "./fixtures/Vm.sol";

/// @notice Ways from the collateral to the debt token over Uniswap's pools: one hop, several, split, and what to do
///         with the rest.
contract ChimeraRoutesTest is RouteFixture {
    // ------------------------------------------------------------------------------------- flash swap, one hop

    function _flashSwapBetween(TestToken collateral, TestToken debt) private {
        Liquidation memory job = _distressed(collateral, debt);
        uint256 cost = _costOf(_poolOf(job.collateral, job.debt, FEE), job.debt, 7_500e18);

        Chimera.Outcome memory outcome = _audited(job);

        vm.assertEq(outcome.debtCovered, 7_500e18, "debt covered");
        vm.assertEq(outcome.profit, seized - cost, "profit");
    }

    function test_a_flash_swap_pays_with_the_lower_token() public {
        (TestToken lower, TestToken higher) = _sorted();
        _flashSwapBetween(lower, higher);
    }

    function test_a_flash_swap_pays_with_the_higher_token() public {
        (TestToken lower, TestToken higher) = _sorted();
        _flashSwapBetween(higher, lower);
    }

    function test_a_pool_that_runs_dry_takes_the_run_back() public {
        dex.open(weth, LOW_WETH_PRICE, usdc, USDC_PRICE, FEE_TIER, 4e18);

        // It hands out its 7,200 USDC at most; Aave is offered, and tries to take, 7,500.
        _runReverts(
            _job(bytes.concat(_buyDebt(Plans.uniswap(Plans.COLLATERAL, FEE_TIER)), Plans.liquidate())),
            TestToken.InsufficientBalance.selector
        );
    }

    // ------------------------------------------------------------------------------------ flash swap, more hops

    /// @dev Collateral -> WETH -> USDC. The collateral goes to the far pool, which pays the near one.
    function _twoHops(bytes memory nearKey) private {
        (, Liquidation memory job, IUniswapV3PoolFull far) = _exotic();
        uint256 wethCost = _costOf(pool, address(usdc), HALF_DEBT);
        uint256 cost = _costOf(far, address(weth), wethCost);
        job.steps =
            bytes.concat(_buyDebt(nearKey), Plans.buyOn(Plans.uniswap(Plans.COLLATERAL, FEE_TIER)), Plans.liquidate());

        (Chimera.Outcome memory outcome, Vm.Log[] memory logs) = _auditedPlan(job, _plan(job));

        vm.assertEq(outcome.profit, seized - cost, "profit");
        vm.assertEq(_moved(logs, address(weth), ANYONE, address(chimera)), 0, "WETH that came by here");
        vm.assertEq(_moved(logs, address(weth), address(far), address(pool)), wethCost, "WETH from pool to pool");
    }

    function test_two_hops_over_the_native_coin() public {
        _twoHops(Plans.uniswap(Plans.NATIVE, FEE));
    }

    function test_two_hops_over_a_token_by_its_address() public {
        _twoHops(Plans.uniswap(address(weth), FEE));
    }

    function test_three_hops() public {
        (TestToken collateral, Liquidation memory job, IUniswapV3PoolFull far) = _exotic();
        IUniswapV3PoolFull middle = dex.open(weth, LOW_WETH_PRICE, dai, USDC_PRICE, FEE_TIER, 10_000e18);
        IUniswapV3PoolFull near = dex.open(dai, USDC_PRICE, usdc, USDC_PRICE, FEE, 10_000_000e18);
        uint256 daiCost = _costOf(near, address(usdc), HALF_DEBT);
        uint256 cost = _costOf(far, address(weth), _costOf(middle, address(dai), daiCost));
        job.steps = bytes.concat(
            _buyDebt(Plans.uniswap(address(dai), FEE)),
            Plans.buyOn(Plans.uniswap(Plans.NATIVE, FEE_TIER)),
            Plans.buyOn(Plans.uniswap(Plans.COLLATERAL, FEE_TIER)),
            Plans.liquidate()
        );

        (Chimera.Outcome memory outcome, Vm.Log[] memory logs) = _auditedPlan(job, _plan(job));

        vm.assertEq(outcome.profit, seized - cost, "profit");
        vm.assertEq(_moved(logs, address(collateral), address(chimera), address(far)), cost, "paid to the far pool");
        vm.assertEq(_moved(logs, address(dai), ANYONE, address(chimera)), 0, "DAI that came by here");
    }

    function test_buy_on_alone_is_no_step() public {
        bytes memory error = abi.encodeWithSelector(Chimera.UnknownStep.selector, 2);

        _runReverts(_job(Plans.buyOn(Plans.uniswap(Plans.COLLATERAL, FEE))), error);
        // Nor does it follow anything but a purchase.
        _runReverts(
            _job(
                bytes.concat(
                    _buyDebt(Plans.uniswap(Plans.COLLATERAL, FEE)),
                    Plans.liquidate(),
                    Plans.buyOn(Plans.uniswap(Plans.COLLATERAL, FEE))
                )
            ),
            error
        );
    }

    // ---------------------------------------------------------------------------------------------- split routes

    function test_two_purchases_share_the_debt() public {
        IUniswapV3PoolFull second = dex.open(weth, LOW_WETH_PRICE, usdc, USDC_PRICE, FEE_TIER, 10_000e18);
        uint256 cost = _costOf(pool, address(usdc), 4_000e6) + _costOf(second, address(usdc), 3_500e6);
        bytes memory steps = bytes.concat(
            Plans.buy(4_000e6, Plans.uniswap(Plans.COLLATERAL, FEE)),
            Plans.buy(3_500e6, Plans.uniswap(Plans.COLLATERAL, FEE_TIER)),
            Plans.liquidate()
        );

        Chimera.Outcome memory outcome = _audited(_job(steps));

        vm.assertEq(outcome.debtCovered, 7_500e6, "debt covered");
        vm.assertEq(outcome.profit, seized - cost, "profit");
    }

    function test_a_purchase_over_two_hops_beside_one_of_one_hop() public {
        (, Liquidation memory job, IUniswapV3PoolFull far) = _exotic();
        uint256 cost = _costOf(_poolOf(job.collateral, job.debt, FEE), job.debt, 4_000e6)
            + _costOf(far, address(weth), _costOf(pool, address(usdc), 3_500e6));
        job.steps = bytes.concat(
            Plans.buy(4_000e6, Plans.uniswap(Plans.COLLATERAL, FEE)),
            Plans.buy(3_500e6, Plans.uniswap(Plans.NATIVE, FEE)),
            Plans.buyOn(Plans.uniswap(Plans.COLLATERAL, FEE_TIER)),
            Plans.liquidate()
        );

        vm.assertEq(_audited(job).profit, seized - cost, "profit");
    }

    function test_two_purchases_from_one_pool_meet_its_lock() public {
        bytes memory half = Plans.buy(HALF_DEBT / 2, Plans.uniswap(Plans.COLLATERAL, FEE));

        _runReverts(_job(bytes.concat(half, half, Plans.liquidate())), abi.encodeWithSignature("Error(string)", "LOK"));
    }

    function test_two_sales_share_the_collateral() public {
        IUniswapV3PoolFull second = dex.open(weth, LOW_WETH_PRICE, usdc, USDC_PRICE, FEE_TIER, 10_000e18);
        uint256 first = seized * 6_000 / 10_000;
        uint256 proceeds = _worthOf(pool, address(weth), first) + _worthOf(second, address(weth), seized - first);
        bytes memory sales = bytes.concat(
            Plans.sell(6_000, Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE)),
            _sellAll(Plans.uniswap(Plans.COLLATERAL, FEE_TIER))
        );

        Liquidation memory job = _loanAndSell(sales);

        (Chimera.Outcome memory outcome, Vm.Log[] memory logs) = _auditedPlan(job, _plan(job));

        vm.assertEq(_moved(logs, address(weth), address(chimera), address(pool)), first, "sold to the first pool");
        vm.assertEq(outcome.swapOutput, proceeds, "swap output");
        vm.assertEq(outcome.profit, proceeds - HALF_DEBT, "profit");
    }

    function test_a_sale_of_more_than_there_is_cannot_be_paid() public {
        uint256 tooMuch = seized * 10_001 / 10_000;

        _runReverts(
            _loanAndSell(Plans.sell(10_001, Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE))),
            abi.encodeWithSelector(Program.CannotRepay.selector, weth, seized, tooMuch)
        );
    }

    // ------------------------------------------------------------------------------------------- what is left over

    /// @dev The flash swap is paid from what a first sale, for WETH, has left.
    function test_collateral_beyond_the_price_of_a_flash_swap_becomes_native_coin() public {
        (TestToken collateral, Liquidation memory job, IUniswapV3PoolFull wethPool) = _exotic();
        uint256 sold = seized * 400 / 10_000;
        uint256 proceeds = _worthOf(wethPool, address(collateral), sold);
        uint256 cost = _costOf(_poolOf(job.collateral, job.debt, FEE), job.debt, HALF_DEBT);
        job.flags = Plans.PROFIT_IN_NATIVE;
        job.steps = bytes.concat(
            _flashSwap(HALF_DEBT), Plans.sell(400, Plans.token(Plans.NATIVE), Plans.uniswap(Plans.COLLATERAL, FEE_TIER))
        );
        // WETH that lay here is none of it, though it is not the pair's.
        weth.mint(address(chimera), 1e18);

        Chimera.Outcome memory outcome = _audited(job);

        vm.assertEq(outcome.profit, proceeds, "profit");
        vm.assertEq(collateral.balanceOf(treasury), seized - sold - cost, "collateral on top");
    }

    function test_collateral_beyond_the_price_of_a_loan_becomes_native_coin() public {
        (TestToken collateral, Liquidation memory job, IUniswapV3PoolFull wethPool) = _exotic();
        uint256 sold = seized * 9_700 / 10_000;
        uint256 forDebt = _worthOf(_poolOf(job.collateral, job.debt, FEE), job.collateral, sold);
        uint256 forProfit = _worthOf(wethPool, address(collateral), seized - sold);
        job.flags = Plans.PROFIT_IN_NATIVE;
        job.steps = bytes.concat(
            Plans.loan(address(aave), HALF_DEBT),
            Plans.liquidate(),
            Plans.sell(9_700, Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE)),
            Plans.sell(10_000, Plans.token(Plans.NATIVE), Plans.uniswap(Plans.COLLATERAL, FEE_TIER))
        );

        Chimera.Outcome memory outcome = _audited(job);

        vm.assertEq(outcome.profit, forProfit, "profit");
        vm.assertEq(outcome.swapOutput, forDebt, "swap output");
        vm.assertEq(usdc.balanceOf(treasury), forDebt - HALF_DEBT, "debt token on top");
    }

    function test_debt_token_beyond_the_loan_becomes_native_coin() public {
        (, Liquidation memory job,) = _exotic();
        uint256 proceeds = _worthOf(_poolOf(job.collateral, job.debt, FEE), job.collateral, seized);
        // A sale takes a share of what is here, the loan to be repaid included.
        uint256 sold = proceeds * 300 / 10_000;
        uint256 expected = _worthOf(pool, address(usdc), sold);
        job.flags = Plans.PROFIT_IN_NATIVE;
        job.steps = bytes.concat(
            Plans.loan(address(aave), HALF_DEBT),
            Plans.liquidate(),
            _sellAll(Plans.uniswap(Plans.COLLATERAL, FEE)),
            Plans.sell(300, Plans.token(Plans.NATIVE), Plans.uniswap(Plans.DEBT, FEE))
        );

        Chimera.Outcome memory outcome = _audited(job);

        vm.assertEq(outcome.profit, expected, "profit");
        vm.assertEq(outcome.swapOutput, proceeds - sold, "swap output: what no later swap took away");
    }

    function test_a_sale_must_not_end_in_a_token_that_nobody_sweeps() public {
        dex.open(weth, LOW_WETH_PRICE, dai, USDC_PRICE, FEE_TIER, 10_000e18);
        bytes memory toDai = Plans.sell(10_000, Plans.token(address(dai)), Plans.uniswap(Plans.COLLATERAL, FEE_TIER));

        _runReverts(_loanAndSell(toDai), abi.encodeWithSelector(Swaps.ForeignToken.selector, address(dai)));
    }

    function test_a_sale_in_the_pair_must_not_end_in_native_coin_when_the_profit_is_another() public {
        (, Liquidation memory job,) = _exotic();
        job.flags = Plans.PROFIT_IN_DEBT;
        job.steps = bytes.concat(
            Plans.loan(address(aave), HALF_DEBT),
            Plans.liquidate(),
            Plans.sell(9_900, Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE)),
            Plans.sell(10_000, Plans.token(Plans.NATIVE), Plans.uniswap(Plans.COLLATERAL, FEE_TIER))
        );

        _runReverts(job, abi.encodeWithSelector(Swaps.ForeignToken.selector, address(weth)));
    }

    function test_a_sale_over_two_hops_sells_what_the_first_brought_and_sweeps_what_lay_here_before() public {
        IUniswapV3PoolFull first = dex.open(weth, LOW_WETH_PRICE, dai, USDC_PRICE, FEE_TIER, 10_000e18);
        IUniswapV3PoolFull second = dex.open(dai, USDC_PRICE, usdc, USDC_PRICE, FEE, 10_000_000e18);
        uint256 proceeds = _worthOf(second, address(dai), _worthOf(first, address(weth), seized));
        bytes memory sales = bytes.concat(
            Plans.sell(10_000, Plans.token(address(dai)), Plans.uniswap(Plans.COLLATERAL, FEE_TIER)),
            Plans.sellOn(Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE))
        );
        dai.mint(address(chimera), 5e18);

        Chimera.Outcome memory outcome = _run(_loanAndSell(sales));

        vm.assertEq(outcome.swapOutput, proceeds, "swap output");
        vm.assertEq(dai.balanceOf(treasury), 5e18, "swept");
        vm.assertEq(dai.balanceOf(address(chimera)), 0, "left");
    }

    function test_a_sale_over_three_hops() public {
        TestToken mid = new TestToken("MID", 18);
        IUniswapV3PoolFull first = dex.open(weth, LOW_WETH_PRICE, dai, USDC_PRICE, FEE_TIER, 10_000e18);
        IUniswapV3PoolFull second = dex.open(dai, USDC_PRICE, mid, USDC_PRICE, FEE, 10_000_000e18);
        IUniswapV3PoolFull third = dex.open(mid, USDC_PRICE, usdc, USDC_PRICE, FEE, 10_000_000e18);
        uint256 proceeds = _worthOf(first, address(weth), seized);
        proceeds = _worthOf(third, address(mid), _worthOf(second, address(dai), proceeds));
        bytes memory sales = bytes.concat(
            Plans.sell(10_000, Plans.token(address(dai)), Plans.uniswap(Plans.COLLATERAL, FEE_TIER)),
            Plans.sellOn(Plans.token(address(mid)), Plans.uniswap(Plans.COLLATERAL, FEE)),
            Plans.sellOn(Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE))
        );

        vm.assertEq(_run(_loanAndSell(sales)).swapOutput, proceeds, "swap output");
        vm.assertEq(dai.balanceOf(address(chimera)) + mid.balanceOf(address(chimera)), 0, "left");
    }

    function test_what_a_pool_that_ran_dry_did_not_take_of_a_token_in_between_is_swept() public {
        dex.open(weth, LOW_WETH_PRICE, dai, USDC_PRICE, FEE_TIER, 10_000e18);
        // Some 7,830 DAI arrive; this pool has about 7,600 USDC for them, enough for the loan.
        dex.openNarrow(dai, USDC_PRICE, usdc, USDC_PRICE, FEE, 7_950e18);
        bytes memory sales = bytes.concat(
            Plans.sell(10_000, Plans.token(address(dai)), Plans.uniswap(Plans.COLLATERAL, FEE_TIER)),
            Plans.sellOn(Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE))
        );

        _run(_loanAndSell(sales));

        vm.assertGt(dai.balanceOf(treasury), 100e18, "swept");
        vm.assertEq(dai.balanceOf(address(chimera)), 0, "left");
    }

    /// @dev As above, with one more hop behind the pool that runs dry.
    function test_what_a_middle_pool_that_ran_dry_did_not_take_is_swept() public {
        TestToken mid = new TestToken("MID", 18);
        dex.open(weth, LOW_WETH_PRICE, dai, USDC_PRICE, FEE_TIER, 10_000e18);
        // Some 7,830 DAI arrive; this pool takes less than 7,750.
        dex.openNarrow(dai, USDC_PRICE, mid, USDC_PRICE, FEE, 7_700e18);
        dex.open(mid, USDC_PRICE, usdc, USDC_PRICE, FEE, 10_000_000e18);
        bytes memory sales = bytes.concat(
            Plans.sell(10_000, Plans.token(address(dai)), Plans.uniswap(Plans.COLLATERAL, FEE_TIER)),
            Plans.sellOn(Plans.token(address(mid)), Plans.uniswap(Plans.COLLATERAL, FEE)),
            Plans.sellOn(Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE))
        );

        _audited(_loanAndSell(sales));

        vm.assertGt(dai.balanceOf(treasury), 80e18, "swept");
    }
}
