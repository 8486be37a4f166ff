// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {deployArtifact} from "./fixtures/Artifacts.sol";
import {LiquidationHandler} from "./fixtures/LiquidationHandler.sol";
import {vm} from "./fixtures/Vm.sol";

/// @notice What no order of events may break, see LiquidationHandler.
contract ChimeraInvariantsTest {
    struct FuzzSelector {
        address addr;
        bytes4[] selectors;
    }

    LiquidationHandler private handler;

    function setUp() public {
        handler = LiquidationHandler(deployArtifact("LiquidationHandler.sol:LiquidationHandler", ""));
        handler.setUp();
    }

    /// @dev Asked by forge: whom to call.
    function targetContracts() external view returns (address[] memory targets) {
        targets = new address[](1);
        targets[0] = address(handler);
    }

    /// @dev Asked by forge: which functions. Liquidations twice as often as the rest.
    function targetSelectors() external view returns (FuzzSelector[] memory targets) {
        targets = new FuzzSelector[](1);
        targets[0].addr = address(handler);
        bytes4[] memory selectors = new bytes4[](9);
        selectors[0] = handler.movePrice.selector;
        selectors[1] = handler.openPosition.selector;
        selectors[2] = handler.donate.selector;
        selectors[3] = handler.pauseOrUnpause.selector;
        selectors[4] = handler.setExecutor.selector;
        selectors[5] = handler.meddle.selector;
        selectors[6] = handler.liquidate.selector;
        selectors[7] = handler.liquidate.selector;
        selectors[8] = handler.liquidateTwo.selector;
        targets[0].selectors = selectors;
    }

    function invariant_every_promise_is_kept() public view {
        vm.assertEq(bytes(handler.breach()), "", "broken promise");
        vm.assertTrue(handler.inventoryHolds(), "the treasury's inventory fell");
    }

    /// @dev The invariants would hold of a handler that never gets anything done.
    function test_the_handler_liquidates_by_every_route() public {
        handler.movePrice(300e8, 300); // 1,800 USD in the oracle and in the pools
        for (uint256 route; route < handler.ROUTES(); ++route) {
            uint256 before = vm.snapshotState();
            handler.liquidate(route, route, 5_000e6, 1, 1);
            vm.assertEq(handler.succeeded(route), 1, "liquidated");
            invariant_every_promise_is_kept();
            vm.revertToState(before);
        }
        handler.liquidateTwo(0x0300, 0, 5_000e6, 1, 1);
        vm.assertGt(handler.batched(), 0, "liquidated in a batch");
        invariant_every_promise_is_kept();
    }
}
