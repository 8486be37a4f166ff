// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {Ownable} from "@openzeppelin/contracts/access/Ownable.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";
import {Pausable} from "@openzeppelin/contracts/utils/Pausable.sol";

import {Chimera} from "../src/Chimera.sol";
import {ChimeraFixture} from "./fixtures/ChimeraFixture.sol";
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
    function test_the_constructor_sets_owner_treasury_and_factory() public {
        address factory = address(dex.factory());
        vm.expectEmit(_nextDeployment());
        emit Chimera.TreasurySet(treasury);
        Chimera fresh = new Chimera(owner, treasury, factory);

        vm.assertEq(fresh.owner(), owner, "owner");
        vm.assertEq(fresh.treasury(), treasury, "treasury");
        vm.assertEq(address(fresh.factory()), factory, "factory");
        vm.assertFalse(fresh.paused(), "paused");
    }

    function test_the_constructor_refuses_zero_addresses() public {
        address factory = address(dex.factory());

        vm.expectRevert(abi.encodeWithSelector(Ownable.OwnableInvalidOwner.selector, address(0)));
        this.deploy(address(0), treasury, factory);

        vm.expectRevert(Chimera.ZeroAddress.selector);
        this.deploy(owner, address(0), factory);

        vm.expectRevert(Chimera.ZeroAddress.selector);
        this.deploy(owner, treasury, address(0));
    }

    /// @dev External, because `expectRevert` does not watch a bare `new` when tests are linked dynamically.
    function deploy(address owner_, address treasury_, address factory) external returns (Chimera) {
        return new Chimera(owner_, treasury_, factory);
    }

    function test_the_owner_sets_executors_markets_and_treasury() public {
        vm.expectEmit(address(chimera));
        emit Chimera.ExecutorSet(stranger, true);
        vm.prank(owner);
        chimera.setExecutor(stranger, true);
        vm.assertTrue(chimera.isExecutor(stranger), "executor");

        vm.expectEmit(address(chimera));
        emit Chimera.MarketSet(stranger, true);
        vm.prank(owner);
        chimera.setMarket(stranger, true);
        vm.assertTrue(chimera.isMarket(stranger), "market");

        vm.expectEmit(address(chimera));
        emit Chimera.TreasurySet(stranger);
        vm.prank(owner);
        chimera.setTreasury(stranger);
        vm.assertEq(chimera.treasury(), stranger, "treasury");

        vm.prank(owner);
        vm.expectRevert(Chimera.ZeroAddress.selector);
        chimera.setTreasury(address(0));
    }

    function test_C14_nobody_but_the_owner_administers() public {
        address[2] memory callers = [stranger, executor];
        for (uint256 i = 0; i < callers.length; i++) {
            _refused(callers[i], abi.encodeCall(chimera.setExecutor, (callers[i], true)));
            _refused(callers[i], abi.encodeCall(chimera.setMarket, (callers[i], true)));
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
        vm.expectRevert(Chimera.RenounceDisabled.selector);
        chimera.renounceOwnership();
    }

    function test_nobody_but_an_executor_liquidates() public {
        address[3] memory callers = [stranger, owner, treasury];
        for (uint256 i = 0; i < callers.length; i++) {
            vm.prank(callers[i]);
            vm.expectRevert(abi.encodeWithSelector(Chimera.NotExecutor.selector, callers[i]));
            chimera.liquidateAave(_plan());
        }
    }

    function test_C15_a_removed_executor_neither_liquidates_nor_pauses() public {
        _setWethPrice(LOW_WETH_PRICE);
        vm.prank(owner);
        chimera.setExecutor(executor, false);

        _runReverts(_plan(), abi.encodeWithSelector(Chimera.NotExecutor.selector, executor));
        _refused(executor, abi.encodeCall(chimera.pause, ()));
    }

    function test_owner_and_executor_pause_and_only_the_owner_unpauses() public {
        _setWethPrice(LOW_WETH_PRICE);
        _refused(stranger, abi.encodeCall(chimera.pause, ()));

        address[2] memory callers = [owner, executor];
        for (uint256 i = 0; i < callers.length; i++) {
            vm.prank(callers[i]);
            chimera.pause();
            _runReverts(_plan(), Pausable.EnforcedPause.selector);

            vm.prank(owner);
            chimera.unpause();
        }
        _run(_plan());
    }

    function test_rescue_sends_a_token_to_the_treasury_alone() public {
        weth.mint(address(chimera), 3e18);

        vm.expectEmit(address(chimera));
        emit Chimera.Rescued(address(weth), 3e18);
        vm.prank(owner);
        chimera.rescue(IERC20(address(weth)));

        vm.assertEq(weth.balanceOf(treasury), 3e18, "treasury");
        vm.assertEq(weth.balanceOf(address(chimera)), 0, "chimera");
    }

    function test_rescue_native_sends_forced_coin_to_the_treasury() public {
        vm.deal(address(chimera), 2 ether);

        vm.expectEmit(address(chimera));
        emit Chimera.Rescued(address(0), 2 ether);
        vm.prank(owner);
        chimera.rescueNative();

        vm.assertEq(treasury.balance, 2 ether, "treasury");
    }

    function test_native_coin_is_not_accepted() public {
        vm.deal(address(this), 1 ether);
        (bool accepted,) = address(chimera).call{value: 1}("");
        vm.assertFalse(accepted, "accepted");
    }

    function test_a_treasury_that_refuses_native_coin_is_reported() public {
        _setTreasury(address(new Refuser()));
        vm.deal(address(chimera), 1 ether);

        vm.prank(owner);
        vm.expectRevert(Chimera.NativeTransferFailed.selector);
        chimera.rescueNative();
    }

    function test_C07_a_treasury_reentering_rescue_gets_nothing_twice() public {
        GreedyOwner greedy = new GreedyOwner();
        Chimera fresh = new Chimera(address(greedy), address(greedy), address(dex.factory()));
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
