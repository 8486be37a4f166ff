// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {Roles} from "../src/Roles.sol";
import {Program} from "../src/Program.sol";
import {Swaps} from "../src/Swaps.sol";
import {HostileExchange} from "./fixtures/Attackers.sol";
import {ChimeraFixture} from "./fixtures/ChimeraFixture.sol";
import {Liquidation, Plans} from "./fixtures/Plans.sol";
import {BlocklistToken, TestToken} from "./fixtures/Tokens.sol";
import {vm} from "./fixtures/Vm.sol";

/// @notice What lies in Chimera and belongs to no run: an executor's plan must not reach it.
contract ChimeraForeignTokensTest is ChimeraFixture {
    TestToken private dai;

    function setUp() public override {
        super.setUp();
        dai = new TestToken("DAI", 18);
        dai.mint(address(chimera), 500_000e18); // sent by mistake: it waits for rescue
        dex.open(dai, 100, usdc, USDC_PRICE, FEE, 1_000_000e18); // the attacker's own pool: a million for one USDC
        _setWethPrice(LOW_WETH_PRICE);
    }

    function _isForeign(bytes memory steps) private {
        _runReverts(_job(steps), abi.encodeWithSelector(Swaps.ForeignToken.selector, address(dai)));
    }

    function test_C16_a_third_token_that_awaits_rescue_is_not_sold() public {
        _isForeign(
            bytes.concat(
                _flashSwap(HALF_DEBT), Plans.sell(10_000, Plans.token(Plans.DEBT), Plans.uniswap(address(dai), FEE))
            )
        );
    }

    function test_C16_a_third_token_that_awaits_rescue_pays_for_no_purchase() public {
        _isForeign(bytes.concat(Plans.buy(0.2e6, Plans.uniswap(address(dai), FEE)), _flashSwap(HALF_DEBT)));
    }

    function test_C06_a_pool_that_owes_a_callback_cannot_make_it_when_the_run_is_over() public {
        HostileExchange hostile = new HostileExchange();
        _list(address(hostile), Roles.Kind.Slipstream);
        usdc.mint(address(hostile), 10_000e6);
        hostile.set(address(usdc), 7_600e6, 0, 0); // pays, and does not call back
        Liquidation memory job = _job(
            bytes.concat(
                Plans.loan(address(aave), HALF_DEBT),
                Plans.liquidate(),
                Plans.sell(10_000, Plans.token(Plans.DEBT), Plans.listed(address(hostile), Plans.COLLATERAL, 60))
            )
        );
        job.flags = Plans.PROFIT_IN_DEBT;
        _run(job);

        weth.mint(address(chimera), 1e18);
        vm.prank(address(hostile));
        vm.expectRevert(Program.UnexpectedCallback.selector);
        chimera.uniswapV3SwapCallback(1e18, 0, abi.encode(weth));
    }

    function test_C12_a_token_that_refuses_to_pay_a_pool_says_so_in_its_own_words() public {
        BlocklistToken token = new BlocklistToken();
        Liquidation memory job = _distressed(token, usdc);
        address pool_ = dex.factory().getPool(address(token), address(usdc), FEE);
        token.setBlocked(pool_, true);
        _runReverts(job, abi.encodeWithSelector(BlocklistToken.Blocked.selector, pool_));
    }
}
