// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {Chimera} from "../src/Chimera.sol";
import {Roles} from "../src/Roles.sol";
import {Intruder} from "./fixtures/Attackers.sol";
import {ChimeraFixture} from "./fixtures/ChimeraFixture.sol";
import {Plans} from "./fixtures/Plans.sol";
import {HookToken} from "./fixtures/Tokens.sol";
import {vm} from "./fixtures/Vm.sol";

/// @notice Refuses native coin.
contract Refuser {}

/// @notice Takes native coin and answers with a megabyte, which costs over two million gas to copy.
contract Bomber {
    fallback() external payable {
        assembly ("memory-safe") {
            return(0, 1000000)
        }
    }
}

/// @notice Owner and treasury in one, asking for more while it is being paid.
contract GreedyOwner {
    Chimera private chimera;
    uint256 public payments;

    function rescueFrom(Chimera target) external {
        chimera = target;
        target.rescueNative();
    }

    receive() external payable {
        if (++payments == 1) chimera.rescueNative();
    }
}

/// @notice Who may do what, and that nobody else may.
contract ChimeraRolesTest is ChimeraFixture {
    function test_the_constructor_sets_owner_treasury_factory_and_native_coin() public {
        address factory = address(dex.factory());
        vm.expectEmit(_nextDeployment());
        emit Roles.TreasurySet(treasury);
        Chimera fresh = new Chimera(owner, treasury, factory, address(weth));

        vm.assertEq(fresh.owner(), owner, "owner");
        vm.assertEq(fresh.treasury(), treasury, "treasury");
        vm.assertEq(fresh.factory(), factory, "factory");
        vm.assertEq(fresh.weth(), address(weth), "wrapped native coin");
        vm.assertFalse(fresh.paused(), "paused");
        vm.assertFalse(fresh.isExecutor(owner), "the owner is no executor");
        vm.assertTrue(fresh.kindOf(factory) == Roles.Kind.None, "nothing is listed");
    }

    function test_the_constructor_refuses_zero_addresses() public {
        address factory = address(dex.factory());

        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0)));
        this.deploy(address(0), treasury, factory, address(weth));

        vm.expectRevert(Roles.ZeroAddress.selector);
        this.deploy(owner, address(0), factory, address(weth));

        vm.expectRevert(Roles.ZeroAddress.selector);
        this.deploy(owner, treasury, address(0), address(weth));

        vm.expectRevert(Roles.ZeroAddress.selector);
        this.deploy(owner, treasury, factory, address(0));
    }

    /// @dev External, because `expectRevert` does not watch a bare `new` when tests are linked dynamically.
    function deploy(address owner_, address treasury_, address factory, address wrappedNative)
        external
        returns (Chimera)
    {
        return new Chimera(owner_, treasury_, factory, wrappedNative);
    }

    function test_the_owner_sets_executors_counterparties_and_treasury() public {
        vm.expectEmit(address(chimera));
        emit Roles.ExecutorSet(stranger, true);
        vm.prank(owner);
        chimera.setExecutor(stranger, true);
        vm.assertTrue(chimera.isExecutor(stranger), "executor");

        Roles.Kind[3] memory kinds = [Roles.Kind.MorphoBlue, Roles.Kind.Solidly, Roles.Kind.None];
        for (uint256 i = 0; i < kinds.length; i++) {
            vm.expectEmit(address(chimera));
            emit Roles.CounterpartySet(stranger, kinds[i]);
            vm.prank(owner);
            chimera.setCounterparty(stranger, kinds[i]);
            vm.assertTrue(chimera.kindOf(stranger) == kinds[i], "kind");
        }

        vm.expectEmit(address(chimera));
        emit Roles.TreasurySet(stranger);
        vm.prank(owner);
        chimera.setTreasury(stranger);
        vm.assertEq(chimera.treasury(), stranger, "treasury");

        vm.prank(owner);
        vm.expectRevert(Roles.ZeroAddress.selector);
        chimera.setTreasury(address(0));
    }

    function test_a_kind_that_does_not_exist_is_refused() public {
        vm.prank(owner);
        (bool done,) = address(chimera).call(abi.encodeWithSelector(chimera.setCounterparty.selector, stranger, 11));
        vm.assertFalse(done, "refused");
        vm.assertTrue(chimera.kindOf(stranger) == Roles.Kind.None, "kind");
    }

    function test_a_new_treasury_gets_the_next_profit() public {
        _setWethPrice(LOW_WETH_PRICE);
        _setTreasury(stranger);

        vm.assertEq(_run(_job()).profit, weth.balanceOf(stranger), "new treasury");
        vm.assertEq(weth.balanceOf(treasury), 0, "old treasury");
    }

    function test_C14_nobody_but_the_owner_administers() public {
        address[2] memory callers = [stranger, executor];
        for (uint256 i = 0; i < callers.length; i++) {
            _refused(callers[i], abi.encodeCall(chimera.setExecutor, (callers[i], true)));
            _refused(callers[i], abi.encodeCall(chimera.setCounterparty, (callers[i], Roles.Kind.AaveV3)));
            _refused(callers[i], abi.encodeCall(chimera.setTreasury, (callers[i])));
            _refused(callers[i], abi.encodeCall(chimera.unpause, ()));
            _refused(callers[i], abi.encodeCall(chimera.rescue, (IERC20(address(weth)))));
            _refused(callers[i], abi.encodeCall(chimera.rescueNative, ()));
            _refused(callers[i], abi.encodeCall(chimera.transferOwnership, (callers[i])));
            _refused(callers[i], abi.encodeCall(chimera.acceptOwnership, ()));
        }
    }

    function test_C14_ownership_moves_in_two_steps() public {
        vm.prank(owner);
        chimera.transferOwnership(stranger);
        vm.assertEq(chimera.owner(), owner, "owner until accepted");
        _refused(stranger, abi.encodeCall(chimera.unpause, ()));

        vm.prank(stranger);
        chimera.acceptOwnership();
        vm.assertEq(chimera.owner(), stranger, "owner");
        _refused(owner, abi.encodeCall(chimera.setExecutor, (owner, true)));
    }

    function test_C14_ownership_cannot_be_renounced() public {
        vm.prank(owner);
        vm.expectRevert(Roles.RenounceDisabled.selector);
        chimera.renounceOwnership();
    }

    function test_nobody_but_an_executor_liquidates() public {
        address[4] memory callers = [stranger, owner, treasury, address(chimera)];
        for (uint256 i = 0; i < callers.length; i++) {
            _assertNoExecutor(callers[i]);
        }
    }

    function test_C15_a_removed_executor_neither_liquidates_nor_pauses() public {
        _setWethPrice(LOW_WETH_PRICE);
        vm.expectEmit(address(chimera));
        emit Roles.ExecutorSet(executor, false);
        vm.prank(owner);
        chimera.setExecutor(executor, false);

        _assertNoExecutor(executor);
        _refused(executor, abi.encodeCall(chimera.pause, ()));
    }

    function test_C15_an_executor_removed_in_the_middle_of_its_run_finishes_it_and_starts_no_other() public {
        HookToken hooked = new HookToken();
        Intruder intruder = new Intruder();
        bytes memory plan = _plan(_distressed(hooked, usdc));
        hooked.setHook(intruder);
        intruder.strikeWhenPaid(
            address(chimera), owner, address(chimera), abi.encodeCall(chimera.setExecutor, (executor, false))
        );

        _run(plan);

        vm.assertTrue(intruder.succeeded(), "removed");
        _assertNoExecutor(executor);
    }

    function test_owner_and_executor_pause_and_only_the_owner_unpauses() public {
        _setWethPrice(LOW_WETH_PRICE);
        _refused(stranger, abi.encodeCall(chimera.pause, ()));

        address[2] memory callers = [owner, executor];
        for (uint256 i = 0; i < callers.length; i++) {
            vm.prank(callers[i]);
            chimera.pause();
            _runReverts(_job(), Pausable.EnforcedPause.selector);
            vm.prank(executor);
            vm.expectRevert(Pausable.EnforcedPause.selector);
            chimera.liquidateBatch(_batch());

            vm.prank(owner);
            chimera.unpause();
        }
        _run(_job());
    }

    function test_rescue_sends_a_token_to_the_treasury_alone() public {
        weth.mint(address(chimera), 3e18);

        vm.expectEmit(address(chimera));
        emit Roles.Rescued(address(weth), 3e18);
        vm.prank(owner);
        chimera.rescue(IERC20(address(weth)));

        vm.assertEq(weth.balanceOf(treasury), 3e18, "treasury");
        vm.assertEq(weth.balanceOf(address(chimera)), 0, "chimera");
    }

    function test_rescue_native_sends_forced_coin_to_the_treasury() public {
        vm.deal(address(chimera), 2 ether);

        vm.expectEmit(address(chimera));
        emit Roles.Rescued(address(0), 2 ether);
        vm.prank(owner);
        chimera.rescueNative();

        vm.assertEq(treasury.balance, 2 ether, "treasury");
    }

    function test_native_coin_is_not_accepted_outside_a_run() public {
        address[3] memory senders = [stranger, executor, address(weth)];
        for (uint256 i = 0; i < senders.length; i++) {
            vm.deal(senders[i], 1 ether);
            vm.prank(senders[i]);
            (bool accepted, bytes memory error) = address(chimera).call{value: 1}("");
            vm.assertFalse(accepted, "accepted");
            vm.assertEq(error, abi.encodePacked(Chimera.NativeNotExpected.selector), "error");
        }
    }

    function test_rescue_works_while_paused() public {
        weth.mint(address(chimera), 3e18);
        vm.deal(address(chimera), 2 ether);
        vm.prank(executor);
        chimera.pause();

        vm.prank(owner);
        chimera.rescue(IERC20(address(weth)));
        vm.prank(owner);
        chimera.rescueNative();

        vm.assertEq(weth.balanceOf(treasury), 3e18, "token");
        vm.assertEq(treasury.balance, 2 ether, "native coin");
    }

    function test_a_treasury_that_refuses_native_coin_is_reported() public {
        _setTreasury(address(new Refuser()));
        vm.deal(address(chimera), 1 ether);

        vm.prank(owner);
        vm.expectRevert(Roles.NativeTransferFailed.selector);
        chimera.rescueNative();
    }

    function test_C07_a_treasury_reentering_rescue_gets_nothing_twice() public {
        GreedyOwner greedy = new GreedyOwner();
        Chimera fresh = new Chimera(address(greedy), address(greedy), address(dex.factory()), address(weth));
        vm.deal(address(fresh), 1 ether);

        greedy.rescueFrom(fresh);

        vm.assertEq(greedy.payments(), 2, "payments");
        vm.assertEq(address(greedy).balance, 1 ether, "paid once in full, then nothing");
    }

    function test_C17_a_return_data_bomb_of_the_treasury_is_not_copied() public {
        _setTreasury(address(new Bomber()));
        vm.deal(address(chimera), 1 ether);

        // The bomb itself takes 2 million; copying it would take as much again.
        vm.prank(owner);
        chimera.rescueNative{gas: 3_000_000}();
    }

    function _batch() private view returns (bytes memory) {
        bytes[] memory jobs = new bytes[](1);
        jobs[0] = Plans.pack(_job());
        return bytes.concat(_terms(), Plans.batch(jobs, new uint256[](1)));
    }

    function _assertNoExecutor(address caller) private {
        bytes memory error = abi.encodeWithSelector(Roles.NotExecutor.selector, caller);
        bytes memory plan = _plan(_job());
        vm.prank(caller);
        vm.expectRevert(error);
        chimera.liquidate(plan);

        plan = _batch();
        vm.prank(caller);
        vm.expectRevert(error);
        chimera.liquidateBatch(plan);
    }

    function _refused(address caller, bytes memory call) private {
        vm.prank(caller);
        (bool done, bytes memory error) = address(chimera).call(call);
        vm.assertFalse(done, "refused");
        vm.assertEq(error, abi.encodeWithSelector(Ownable.OwnableUnauthorizedAccount.selector, caller), "error");
    }

    function _setTreasury(address to) private {
        vm.prank(owner);
        chimera.setTreasury(to);
    }

    function _nextDeployment() private view returns (address) {
        return vm.computeCreateAddress(address(this), vm.getNonce(address(this)));
    }
}
