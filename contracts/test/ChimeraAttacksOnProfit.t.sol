// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

import {Chimera} from "../src/Chimera.sol";
import {Program} from "../src/Program.sol";
import {Roles} from "../src/Roles.sol";
import {ChimeraFixture} from "./fixtures/ChimeraFixture.sol";
import {CompoundMarket} from "./fixtures/CompoundMarket.sol";
import {Liquidation, Plans} from "./fixtures/Plans.sol";
import {vm} from "./fixtures/Vm.sol";

/// @notice Attacks on what a run earns: C09, C13, C16 and C19.
contract ChimeraAttacksOnProfitTest is ChimeraFixture {
    // ------------------------------------------------------------------------------------------ price and gifts

    function test_C09_a_floor_of_nothing_is_refused() public {
        _setWethPrice(LOW_WETH_PRICE);
        Liquidation memory job = _job();
        job.minProfit = 0;
        _runReverts(job, Chimera.NoFloor.selector);
        _runReverts(
            bytes.concat(_terms(), Plans.packByReserveId(job, 0, 1)), abi.encodePacked(Chimera.NoFloor.selector)
        );
    }

    function test_C09_C13_a_floor_stops_a_sandwich_that_would_pass_without_it() public {
        _setWethPrice(LOW_WETH_PRICE);
        uint256 before = vm.snapshotState();
        uint256 quoted = _run(_job()).profit;
        vm.revertToState(before);

        dex.sell(pool, IERC20(address(weth)), 100e18, stranger); // about 2 % off the price
        Liquidation memory job = _job();
        job.minProfit = quoted * 99 / 100;
        (bytes4 selector, bytes memory error) = _errorOf(job);
        vm.assertEq(abi.encodePacked(selector), abi.encodePacked(Chimera.ProfitBelowFloor.selector), "error");
        vm.assertEq(_second(error), job.minProfit, "floor in the error");

        vm.assertEq(_run(_job()).profit, _first(error), "the lowest floor lets what is left of the profit through");
    }

    function test_C13_a_price_moved_beyond_the_bonus_reverts() public {
        _setWethPrice(LOW_WETH_PRICE);
        dex.sell(pool, IERC20(address(weth)), 300e18, stranger); // about 6 %, more than the bonus
        weth.mint(address(chimera), 10e18); // a gift does not pay the difference

        (bytes4 selector, bytes memory error) = _errorOf(_job());

        vm.assertEq(abi.encodePacked(selector), abi.encodePacked(Program.CannotRepay.selector), "error");
        vm.assertEq(_second(error), 4.354166666666666666e18, "held: 7500 / 1800 * 1.05, less a tenth of the bonus");
        vm.assertGt(_third(error), _second(error), "owed");
    }

    function test_C16_gifts_never_count_as_profit_and_are_swept_to_the_treasury() public {
        _setWethPrice(LOW_WETH_PRICE);
        uint256 before = vm.snapshotState();
        Chimera.Outcome memory plain = _run(_job());
        vm.revertToState(before);

        weth.mint(address(chimera), 2e18);
        usdc.mint(address(chimera), 300e6);
        vm.deal(address(chimera), 1 ether);
        Liquidation memory job = _job();
        job.minProfit = plain.profit + 1;
        _runReverts(job, abi.encodeWithSelector(Chimera.ProfitBelowFloor.selector, plain.profit, plain.profit + 1));

        job.minProfit = plain.profit;
        _assertSame(_run(job), plain);

        vm.assertEq(weth.balanceOf(treasury), plain.profit + 2e18, "treasury, collateral");
        vm.assertEq(usdc.balanceOf(treasury), 300e6, "treasury, debt token");
        vm.assertEq(address(chimera).balance, 1 ether, "native coin waits for rescueNative");
        _assertEmpty(address(weth), address(usdc));
    }

    function test_C16_gifts_are_neither_bid_nor_taken_for_a_redemption() public {
        CompoundMarket compound = new CompoundMarket();
        address mUsdc = compound.list(usdc, USDC_PRICE);
        address mNative = compound.listNative(WETH_PRICE);
        compound.supply(lender, mUsdc, 1_000_000e6);
        compound.supply(lender, mNative, 1e18);
        compound.supply(borrower, mNative, 10e18);
        compound.borrow(borrower, mUsdc, 15_000e6);
        compound.setPrice(mNative, LOW_WETH_PRICE);
        dex.moveTo(pool, weth, LOW_WETH_PRICE, usdc, USDC_PRICE);
        _list(address(compound.comptroller()), Roles.Kind.CompoundV2);
        Liquidation memory job = _job(bytes.concat(_buyDebt(), Plans.liquidateCompound(mUsdc, mNative)));
        job.market = address(compound.comptroller());
        job.flags = Plans.MEASURE_FEE;
        bytes memory plan = bytes.concat(Plans.terms(block.timestamp, 0, 5_000), Plans.pack(job));
        uint256 before = vm.snapshotState();
        Chimera.Outcome memory plain = _run(plan);
        vm.revertToState(before);
        // 7500 / 1800 * 1.08, of which the protocol keeps 2.8 %.
        vm.assertEq(plain.collateralSeized, 4.374e18, "collateral seized");
        vm.assertGt(plain.bid, 0, "bid");

        weth.mint(address(chimera), 2e18);
        usdc.mint(address(chimera), 300e6);
        // mTokens too: what was seized is the growth of their balance.
        vm.prank(lender);
        IERC20(mNative).transfer(address(chimera), 1e8);
        _forceNative(1 ether);

        _assertSame(_run(plan), plain);
        vm.assertEq(address(chimera).balance, 1 ether, "native coin waits for rescueNative");
        vm.prank(owner);
        chimera.rescue(IERC20(mNative));
        vm.assertEq(IERC20(mNative).balanceOf(treasury), 1e8, "mTokens wait for rescue");
        vm.prank(owner);
        chimera.rescueNative();
        vm.assertEq(treasury.balance, 1 ether, "rescued");
    }

    function test_C19_copied_calldata_is_worthless_to_another_sender() public {
        _setWethPrice(LOW_WETH_PRICE);
        bytes memory copied = abi.encodeCall(chimera.liquidate, (_plan(_job())));

        vm.prank(stranger);
        (bool done, bytes memory error) = address(chimera).call(copied);
        vm.assertFalse(done, "done");
        vm.assertEq(error, abi.encodeWithSelector(Roles.NotExecutor.selector, stranger), "error");

        vm.prank(executor);
        (done,) = address(chimera).call(copied);
        vm.assertTrue(done, "the executor's own");
    }

    // ------------------------------------------------------------------------------------------------ helpers

    function _buyDebt() private pure returns (bytes memory) {
        return Plans.buy(HALF_DEBT, Plans.uniswap(Plans.COLLATERAL, FEE));
    }

    /// @dev By selfdestruct, which asks nobody: PUSH20 chimera SELFDESTRUCT, run as creation code.
    function _forceNative(uint256 amountWei) private {
        vm.deal(address(this), amountWei);
        bytes memory code = abi.encodePacked(hex"73", address(chimera), hex"ff");
        assembly ("memory-safe") {
            pop(create(amountWei, add(code, 0x20), mload(code)))
        }
        vm.assertEq(address(chimera).balance, amountWei, "forced");
    }

    /// @dev An error's arguments, each a word behind the selector.
    function _first(bytes memory error) private pure returns (uint256) {
        return _word(error, 0x24);
    }

    function _second(bytes memory error) private pure returns (uint256) {
        return _word(error, 0x44);
    }

    function _third(bytes memory error) private pure returns (uint256) {
        return _word(error, 0x64);
    }

    function _word(bytes memory error, uint256 offset) private pure returns (uint256 word) {
        assembly ("memory-safe") {
            word := mload(add(error, offset))
        }
    }
}
