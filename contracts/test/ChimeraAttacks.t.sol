// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";
import {ReentrancyGuardTransient} from "@openzeppelin/contracts/utils/ReentrancyGuardTransient.sol";

import {Chimera} from "../src/Chimera.sol";
import {ChimeraFixture} from "./fixtures/ChimeraFixture.sol";
import {HostileMarket, Intruder} from "./fixtures/Attackers.sol";
import {HookToken, TestToken} from "./fixtures/Tokens.sol";
import {vm} from "./fixtures/Vm.sol";

/// @notice The attacks of the project's list that reach this contract; those on tokens are in ChimeraTokens.t.sol.
contract ChimeraAttacksTest is ChimeraFixture {
    // ---------------------------------------------------------------------------------------------- callbacks

    function test_C01_the_callback_called_directly_reverts_for_everybody() public {
        usdc.mint(address(chimera), HALF_DEBT);
        weth.mint(address(chimera), 5e18);
        bytes memory call = _callback(_plan());
        address[5] memory callers = [stranger, executor, owner, address(aave), address(pool)];

        for (uint256 i = 0; i < callers.length; i++) {
            vm.prank(callers[i]);
            (bool done, bytes memory error) = address(chimera).call(call);
            vm.assertFalse(done, "done");
            vm.assertEq(error, abi.encodePacked(Chimera.UnexpectedCallback.selector), "error");
        }
    }

    function test_C02_a_flash_loan_in_our_name_reverts() public {
        usdc.mint(address(chimera), 1_000e6); // enough for any premium

        vm.prank(stranger);
        vm.expectRevert();
        aave.flashLoanSimple(address(chimera), address(usdc), 1_000e6, "", 0);
        vm.assertEq(usdc.balanceOf(address(chimera)), 1_000e6, "balance");
    }

    function test_C02_the_callbacks_of_other_lenders_do_not_exist() public {
        bytes[4] memory calls = [
            abi.encodeWithSignature("onMorphoFlashLoan(uint256,bytes)", 1, ""),
            abi.encodeWithSignature(
                "receiveFlashLoan(address[],uint256[],uint256[],bytes)",
                new address[](0),
                new uint256[](0),
                new uint256[](0),
                ""
            ),
            abi.encodeWithSignature("uniswapV3FlashCallback(uint256,uint256,bytes)", 1, 1, ""),
            abi.encodeWithSignature("pancakeV3SwapCallback(int256,int256,bytes)", 1, -1, "")
        ];
        for (uint256 i = 0; i < calls.length; i++) {
            (bool done, bytes memory error) = address(chimera).call(calls[i]);
            vm.assertFalse(done, "done");
            vm.assertEq(error, "", "error");
        }
    }

    function test_C03_a_swap_elsewhere_that_pays_us_is_only_a_gift() public {
        dex.sell(pool, IERC20(address(weth)), 1e18, address(chimera));
        uint256 gift = usdc.balanceOf(address(chimera));
        vm.assertGt(gift, 1_900e6, "gift");

        vm.prank(owner);
        chimera.rescue(IERC20(address(usdc)));
        vm.assertEq(usdc.balanceOf(treasury), gift, "treasury");
    }

    function test_C04_a_fake_pool_cannot_call_back_before_the_genuine_one() public {
        (Chimera.AaveLiquidation memory plan, Intruder intruder) = _hookedDebt();
        // The pool sends the debt token before it calls back: the moment at which the callback is expected.
        intruder.strikeWhenPaid(address(chimera), address(0), address(chimera), _callback(plan));

        uint256 profit = _run(plan).profit;

        _assertRefused(intruder, Chimera.UnexpectedCallback.selector);
        vm.assertEq(TestToken(plan.collateralAsset).balanceOf(treasury), profit, "treasury");
    }

    function test_C04_the_genuine_pool_cannot_call_back_twice() public {
        (Chimera.AaveLiquidation memory plan, Intruder intruder) = _hookedCollateral();
        address genuine = dex.factory().getPool(plan.collateralAsset, plan.debtAsset, FEE);
        // The market sends the collateral inside the first callback.
        intruder.strikeWhenPaid(address(chimera), genuine, address(chimera), _callback(plan));

        _run(plan);

        _assertRefused(intruder, Chimera.UnexpectedCallback.selector);
    }

    function test_C04_a_pool_unknown_to_the_factory_is_never_used() public {
        TestToken unlisted = new TestToken("NEW", 18);
        Chimera.AaveLiquidation memory plan = _plan();
        plan.collateralAsset = address(unlisted);
        _runReverts(plan, Chimera.NoPool.selector);
    }

    // ------------------------------------------------------------------------------------------------ targets

    function test_C05_only_listed_markets_are_called() public {
        Chimera.AaveLiquidation memory plan = _plan();
        address[3] memory targets = [address(usdc), address(pool), stranger];
        for (uint256 i = 0; i < targets.length; i++) {
            plan.market = targets[i];
            _runReverts(plan, abi.encodeWithSelector(Chimera.UnknownMarket.selector, targets[i]));
        }
    }

    function test_C05_a_delisted_market_is_not_called() public {
        _setWethPrice(LOW_WETH_PRICE);
        vm.prank(owner);
        chimera.setMarket(address(aave), false);
        _runReverts(_plan(), abi.encodeWithSelector(Chimera.UnknownMarket.selector, address(aave)));
    }

    function test_C05_a_listed_market_turned_hostile_cannot_keep_the_loan() public {
        (Chimera.AaveLiquidation memory plan, HostileMarket hostile) = _hostile();
        weth.mint(address(chimera), 100e18); // not even when a gift could pay for it

        hostile.set(HALF_DEBT, 0, 0);
        uint256 owed = _swapInput(plan);

        hostile.set(HALF_DEBT, owed - 1, 0);
        _runReverts(plan, abi.encodeWithSelector(Chimera.SwapExceedsSeized.selector, owed, owed - 1));

        hostile.set(HALF_DEBT, owed, 0);
        vm.assertEq(_run(plan).profit, 0, "break-even is the least that passes");
    }

    function test_C05_C08_a_listed_market_turned_hostile_takes_no_more_than_it_was_offered() public {
        (Chimera.AaveLiquidation memory plan, HostileMarket hostile) = _hostile();
        usdc.mint(address(chimera), 1);

        hostile.set(HALF_DEBT + 1, 5e18, 0);

        _runReverts(plan, TestToken.InsufficientAllowance.selector);
    }

    function test_C17_a_return_data_bomb_of_a_market_is_not_copied() public {
        (Chimera.AaveLiquidation memory plan, HostileMarket hostile) = _hostile();
        hostile.set(HALF_DEBT, 5e18, 1_000_000);

        // The bomb itself takes 2 million; copying it would take as much again.
        vm.prank(executor);
        chimera.liquidateAave{gas: 3_000_000}(plan);
    }

    // --------------------------------------------------------------------------------------- guards and reentry

    function test_C06_a_pause_or_a_missing_role_is_not_bypassed_through_the_callback() public {
        _setWethPrice(LOW_WETH_PRICE);
        vm.prank(executor);
        chimera.pause();

        _runReverts(_plan(), Pausable.EnforcedPause.selector);
        vm.prank(address(pool));
        vm.expectRevert(Chimera.UnexpectedCallback.selector);
        chimera.uniswapV3SwapCallback(1, -int256(HALF_DEBT), abi.encode(_plan(), 0, 0));

        // A swap of the stranger's own calls back the stranger, who has no such function.
        vm.prank(stranger);
        vm.expectRevert();
        pool.swap(address(chimera), true, -int256(HALF_DEBT), 4295128740, abi.encode(_plan(), 0, 0));
    }

    function test_C06_a_pause_in_the_middle_of_a_run_holds_from_the_next_one() public {
        (Chimera.AaveLiquidation memory plan, Intruder intruder) = _hookedCollateral();
        intruder.strikeWhenPaid(address(chimera), owner, address(chimera), abi.encodeCall(chimera.pause, ()));

        _run(plan);

        vm.assertTrue(intruder.succeeded(), "paused");
        _runReverts(plan, Pausable.EnforcedPause.selector);
    }

    function test_C06_an_intruders_callback_does_not_lower_the_floor() public {
        (Chimera.AaveLiquidation memory plan, Intruder intruder) = _hookedDebt();
        intruder.strikeWhenPaid(address(chimera), address(0), address(chimera), _callback(plan)); // its floor is 0
        plan.minProfit = 5e18;

        (bytes4 selector,) = _errorOf(plan);

        vm.assertTrue(selector == Chimera.ProfitBelowFloor.selector, "error");
    }

    function test_C07_reentry_by_a_token_hook_is_refused_even_to_an_executor() public {
        for (uint256 i = 0; i < 3; i++) {
            uint256 before = vm.snapshotState();
            (Chimera.AaveLiquidation memory plan, Intruder intruder) = i == 0 ? _hookedDebt() : _hookedCollateral();
            address genuine = dex.factory().getPool(plan.collateralAsset, plan.debtAsset, FEE);
            // On the loan's arrival; on the pool's payment; on the profit's departure.
            address payee = i == 0 ? address(chimera) : i == 1 ? genuine : treasury;
            intruder.strikeWhenPaid(payee, executor, address(chimera), abi.encodeCall(chimera.liquidateAave, (plan)));

            _run(plan);

            _assertRefused(intruder, ReentrancyGuardTransient.ReentrancyGuardReentrantCall.selector);
            _assertEmpty(plan.collateralAsset, plan.debtAsset);
            vm.revertToState(before);
        }
    }

    function test_C08_no_allowance_is_left_to_drain() public {
        _setWethPrice(LOW_WETH_PRICE);
        Chimera.AaveLiquidation memory plan = _plan();
        plan.debtToCover = HALF_DEBT + 10e6; // the market takes 10 less than allowed
        _run(plan);
        usdc.mint(address(chimera), 10e6);

        vm.prank(address(aave));
        vm.expectRevert(TestToken.InsufficientAllowance.selector);
        usdc.transferFrom(address(chimera), stranger, 1);
    }

    // ------------------------------------------------------------------------------------------- price and gifts

    function test_C09_C13_a_floor_stops_a_sandwich_that_would_pass_without_it() public {
        _setWethPrice(LOW_WETH_PRICE);
        uint256 before = vm.snapshotState();
        uint256 quoted = _run(_plan()).profit;
        vm.revertToState(before);

        dex.sell(pool, IERC20(address(weth)), 100e18, stranger); // about 2 % off the price
        Chimera.AaveLiquidation memory plan = _plan();
        plan.minProfit = quoted * 99 / 100;
        (bytes4 selector, bytes memory error) = _errorOf(plan);
        vm.assertTrue(selector == Chimera.ProfitBelowFloor.selector, "error");
        (uint256 profit, uint256 floor) = _decode(error);
        vm.assertEq(floor, plan.minProfit, "floor in the error");

        vm.assertEq(_run(_plan()).profit, profit, "without a floor the rest of the profit is taken");
    }

    function test_C13_a_price_moved_beyond_the_bonus_reverts() public {
        _setWethPrice(LOW_WETH_PRICE);
        dex.sell(pool, IERC20(address(weth)), 300e18, stranger); // about 6 %, more than the bonus
        weth.mint(address(chimera), 10e18); // a gift does not pay the difference

        (bytes4 selector, bytes memory error) = _errorOf(_plan());

        vm.assertTrue(selector == Chimera.SwapExceedsSeized.selector, "error");
        (uint256 swapInput, uint256 seized) = _decode(error);
        vm.assertGt(swapInput, seized, "swap input");
        vm.assertEq(seized, 4.354166666666666666e18, "seized");
    }

    function test_C16_gifts_never_count_as_profit_and_are_swept_to_the_treasury() public {
        _setWethPrice(LOW_WETH_PRICE);
        uint256 before = vm.snapshotState();
        Chimera.Outcome memory plain = _run(_plan());
        vm.revertToState(before);

        weth.mint(address(chimera), 2e18);
        usdc.mint(address(chimera), 300e6);
        vm.deal(address(chimera), 1 ether);
        Chimera.AaveLiquidation memory plan = _plan();
        plan.minProfit = plain.profit + 1;
        _runReverts(plan, abi.encodeWithSelector(Chimera.ProfitBelowFloor.selector, plain.profit, plain.profit + 1));

        plan.minProfit = plain.profit;
        Chimera.Outcome memory outcome = _run(plan);

        vm.assertEq(abi.encode(outcome), abi.encode(plain), "outcome");
        vm.assertEq(weth.balanceOf(treasury), plain.profit + 2e18, "treasury, collateral");
        vm.assertEq(usdc.balanceOf(treasury), 300e6, "treasury, debt token");
        vm.assertEq(address(chimera).balance, 1 ether, "native coin waits for rescueNative");
        _assertEmpty(address(weth), address(usdc));
    }

    function test_C19_copied_calldata_is_worthless_to_another_sender() public {
        _setWethPrice(LOW_WETH_PRICE);
        bytes memory copied = abi.encodeCall(chimera.liquidateAave, (_plan()));

        vm.prank(stranger);
        (bool done, bytes memory error) = address(chimera).call(copied);
        vm.assertFalse(done, "done");
        vm.assertEq(error, abi.encodeWithSelector(Chimera.NotExecutor.selector, stranger), "error");

        vm.prank(executor);
        (done,) = address(chimera).call(copied);
        vm.assertTrue(done, "the executor's own");
    }

    // ------------------------------------------------------------------------------------------------ helpers

    function _callback(Chimera.AaveLiquidation memory plan) private view returns (bytes memory) {
        return abi.encodeCall(chimera.uniswapV3SwapCallback, (1, -int256(plan.debtToCover), abi.encode(plan, 0, 0)));
    }

    function _hookedDebt() private returns (Chimera.AaveLiquidation memory plan, Intruder intruder) {
        HookToken hooked = new HookToken();
        plan = _distressed(weth, hooked);
        intruder = new Intruder();
        hooked.setHook(intruder);
    }

    function _hookedCollateral() private returns (Chimera.AaveLiquidation memory plan, Intruder intruder) {
        HookToken hooked = new HookToken();
        plan = _distressed(hooked, usdc);
        intruder = new Intruder();
        hooked.setHook(intruder);
    }

    function _hostile() private returns (Chimera.AaveLiquidation memory plan, HostileMarket hostile) {
        hostile = new HostileMarket();
        weth.mint(address(hostile), 1_000e18);
        vm.prank(owner);
        chimera.setMarket(address(hostile), true);
        plan = _plan();
        plan.market = address(hostile);
    }

    /// @dev What the swap of a plan that seizes nothing would cost.
    function _swapInput(Chimera.AaveLiquidation memory plan) private returns (uint256 owed) {
        (bytes4 selector, bytes memory error) = _errorOf(plan);
        vm.assertTrue(selector == Chimera.SwapExceedsSeized.selector, "error");
        (owed,) = _decode(error);
    }

    function _assertRefused(Intruder intruder, bytes4 selector) private view {
        vm.assertTrue(intruder.struck(), "struck");
        vm.assertFalse(intruder.succeeded(), "succeeded");
        vm.assertEq(intruder.error(), abi.encodePacked(selector), "error");
    }

    /// @dev Arguments of an error of two numbers.
    function _decode(bytes memory error) private pure returns (uint256 a, uint256 b) {
        assembly ("memory-safe") {
            a := mload(add(error, 0x24))
            b := mload(add(error, 0x44))
        }
    }
}
