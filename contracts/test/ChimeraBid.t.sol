// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {Chimera} from "../src/Chimera.sol";
import {Roles} from "../src/Roles.sol";
import {Audit} from "./fixtures/Audit.sol";
import {IUniswapV3PoolFull} from "./fixtures/Dex.sol";
import {Liquidation, Plans} from "./fixtures/Plans.sol";
import {Producer} from "./fixtures/Producer.sol";
import {TestToken} from "./fixtures/Tokens.sol";
import {vm} from "./fixtures/Vm.sol";

/// @notice A share of the profit for whoever produces the block.
contract ChimeraBidTest is Audit {
    uint256 private constant BID_BPS = 2_500;

    Producer private producer;
    /// @dev Of the fixture's liquidation, before any bid.
    uint256 private gross;

    function setUp() public override {
        super.setUp();
        _setWethPrice(LOW_WETH_PRICE);
        producer = new Producer();
        vm.coinbase(address(producer));
        gross = _seizedAtLowPrice(HALF_DEBT) - _costOf(pool, address(usdc), HALF_DEBT);
    }

    function _bidding(Liquidation memory job, uint256 bidBps) private view returns (bytes memory) {
        return bytes.concat(Plans.terms(block.timestamp, 0, bidBps), Plans.pack(job));
    }

    function test_a_share_of_the_profit_goes_to_the_producer() public {
        uint256 bid = gross * BID_BPS / 10_000;

        vm.expectEmit(address(chimera));
        emit Chimera.BidPaid(address(producer), bid);
        (Chimera.Outcome memory outcome,) = _auditedPlan(_job(), _bidding(_job(), BID_BPS));

        vm.assertEq(address(producer).balance, bid, "producer");
        vm.assertEq(outcome.bid, bid, "bid");
        vm.assertEq(outcome.profit, gross - bid, "profit");
        vm.assertEq(weth.balanceOf(treasury), gross - bid, "treasury");
    }

    function test_without_a_bid_the_producer_gets_nothing() public {
        vm.assertEq(_audited(_job()).profit, gross, "profit");
        vm.assertEq(address(producer).balance, 0, "producer");
    }

    function test_the_floor_is_net_of_the_bid() public {
        uint256 net = gross - gross * BID_BPS / 10_000;
        Liquidation memory job = _job();
        job.minProfit = net + 1;
        _runReverts(_bidding(job, BID_BPS), abi.encodeWithSelector(Chimera.ProfitBelowFloor.selector, net, net + 1));

        job.minProfit = net;
        vm.assertEq(_run(_bidding(job, BID_BPS)).profit, net, "profit");
    }

    function test_a_bid_of_everything_leaves_no_profit() public {
        _runReverts(_bidding(_job(), 10_000), abi.encodeWithSelector(Chimera.ProfitBelowFloor.selector, 0, 1));
    }

    function test_a_bid_of_more_than_everything_cannot_be_unwrapped() public {
        _runReverts(_bidding(_job(), 10_001), abi.encodePacked(TestToken.InsufficientBalance.selector));
        _runReverts(_bidding(_job(), type(uint16).max), abi.encodePacked(TestToken.InsufficientBalance.selector));
    }

    function test_only_wrapped_native_can_be_bid() public {
        Liquidation memory job = _job(
            bytes.concat(
                Plans.loan(address(aave), HALF_DEBT),
                Plans.liquidate(),
                Plans.sell(10_000, Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE))
            )
        );
        job.flags = Plans.PROFIT_IN_DEBT;

        _runReverts(_bidding(job, 1), abi.encodeWithSelector(Chimera.CannotBid.selector, usdc));
        _run(_bidding(job, 0));
    }

    function test_a_producer_that_refuses_takes_the_run_back() public {
        producer.refuse();

        _runReverts(_bidding(_job(), BID_BPS), abi.encodePacked(Roles.NativeTransferFailed.selector));
        _run(_bidding(_job(), 0));
    }

    function test_a_bid_from_profit_that_is_neither_collateral_nor_debt() public {
        TestToken collateral = new TestToken("cbETH", 18);
        Liquidation memory job = _distressed(collateral, usdc);
        IUniswapV3PoolFull wethPool = dex.open(collateral, LOW_WETH_PRICE, weth, LOW_WETH_PRICE, 3000, 10_000e18);
        uint256 proceeds = _worthOf(wethPool, address(collateral), _seizedAtLowPrice(HALF_DEBT) * 400 / 10_000);
        job.flags = Plans.PROFIT_IN_NATIVE;
        job.steps =
            bytes.concat(job.steps, Plans.sell(400, Plans.token(Plans.NATIVE), Plans.uniswap(Plans.COLLATERAL, 3000)));

        (Chimera.Outcome memory outcome,) = _auditedPlan(job, _bidding(job, BID_BPS));

        vm.assertEq(outcome.bid, proceeds * BID_BPS / 10_000, "bid");
    }

    /// @dev 30,000 USDC against 10 WETH at 2,500 USD. The bid comes out of the debt token, which swaps brought.
    function test_a_bid_from_profit_in_the_debt_token_is_part_of_the_swap_output() public {
        address account = _account("debtor of WETH");
        _setWethPrice(WETH_PRICE);
        _supply(account, usdc, 30_000e6);
        _borrow(account, weth, 10e18);
        _setWethPrice(2_500e8);
        uint256 proceeds = _worthOf(pool, address(usdc), _aaveSeizes(5e18, 2_500e8, 1e18, USDC_PRICE, 1e6));
        Liquidation memory job = _job(
            bytes.concat(
                Plans.loan(address(aave), 5e18),
                Plans.liquidate(),
                Plans.sell(10_000, Plans.token(Plans.DEBT), Plans.uniswap(Plans.COLLATERAL, FEE))
            )
        );
        (job.borrower, job.collateral, job.debt) = (account, address(usdc), address(weth));
        job.flags = Plans.PROFIT_IN_DEBT;

        (Chimera.Outcome memory outcome,) = _auditedPlan(job, _bidding(job, BID_BPS));

        vm.assertEq(outcome.bid, (proceeds - 5e18) * BID_BPS / 10_000, "bid");
        vm.assertEq(outcome.swapOutput, proceeds, "swap output");
    }

    // ---------------------------------------------------------------------------------------------------- batch

    /// @dev Two borrowers like the fixture's; the second one's collateral is a token of its own.
    function _two() private returns (bytes[] memory jobs, TestToken collateral, IUniswapV3PoolFull wethPool) {
        collateral = new TestToken("cbETH", 18);
        Liquidation memory second = _distressed(collateral, usdc);
        wethPool = dex.open(collateral, LOW_WETH_PRICE, weth, LOW_WETH_PRICE, 3000, 10_000e18);
        second.flags = Plans.PROFIT_IN_NATIVE;
        second.steps = bytes.concat(
            second.steps, Plans.sell(400, Plans.token(Plans.NATIVE), Plans.uniswap(Plans.COLLATERAL, 3000))
        );
        jobs = new bytes[](2);
        (jobs[0], jobs[1]) = (Plans.pack(_job()), Plans.pack(second));
    }

    function _runBidding(bytes[] memory jobs) private returns (Chimera.Outcome[] memory) {
        bytes memory plan = bytes.concat(Plans.terms(block.timestamp, 0, BID_BPS), Plans.batch(jobs, new uint256[](2)));
        vm.prank(executor);
        return chimera.liquidateBatch(plan);
    }

    function test_each_liquidation_of_a_batch_bids_for_itself() public {
        (bytes[] memory jobs,,) = _two();

        Chimera.Outcome[] memory outcomes = _runBidding(jobs);

        vm.assertEq(outcomes[0].bid, gross * BID_BPS / 10_000, "first bid");
        vm.assertGt(outcomes[1].bid, 0, "second bid");
        vm.assertEq(address(producer).balance, outcomes[0].bid + outcomes[1].bid, "producer");
        vm.assertEq(weth.balanceOf(treasury), outcomes[0].profit + outcomes[1].profit, "treasury");
    }

    function test_a_failed_liquidation_pays_no_bid() public {
        (bytes[] memory jobs,,) = _two();
        Liquidation memory greedy = _job();
        greedy.minProfit = gross;
        jobs[0] = Plans.pack(greedy);

        Chimera.Outcome[] memory outcomes = _runBidding(jobs);

        vm.assertEq(outcomes[0].bid, 0, "first bid");
        vm.assertEq(address(producer).balance, outcomes[1].bid, "producer");
    }

    /// @dev Paid for the first liquidation, the producer sends collateral of the second: it is swept before that one
    ///      begins, so no share of it is sold and no floor is met by it.
    function test_a_donation_between_two_liquidations_is_no_profit() public {
        (bytes[] memory jobs, TestToken collateral,) = _two();
        uint256 before = vm.snapshotState();
        Chimera.Outcome[] memory expected = _runBidding(jobs);
        uint256 leftover = collateral.balanceOf(treasury);
        vm.revertToState(before);
        collateral.mint(address(producer), 3e18);
        producer.giveWhenPaid(address(collateral), abi.encodeCall(TestToken.transfer, (address(chimera), 1e18)));

        Chimera.Outcome[] memory outcomes = _runBidding(jobs);

        for (uint256 i; i < 2; ++i) {
            vm.assertEq(outcomes[i].collateralSeized, expected[i].collateralSeized, "seized");
            vm.assertEq(outcomes[i].profit, expected[i].profit, "profit");
        }
        // Both gifts, the second made when the second bid was paid, went to the treasury.
        vm.assertEq(collateral.balanceOf(treasury), leftover + 2e18, "treasury");
        _assertEmpty(address(collateral), address(usdc));
    }
}
