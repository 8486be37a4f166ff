// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {IErc4626, IUnwrapper} from "./interfaces/IWrapper.sol";
import {Program} from "./Program.sol";

/// @title Tokens that stand for another token, taken apart
/// @notice A sale may go to the token itself instead of a pool: shares of an ERC-4626 vault are redeemed, wstETH and its
///         like are unwrapped. Only listed ones are called. What came is measured by balance, whatever they say.
/// @dev A vault that is paused or gated reverts, and with it the run: nothing is lost but gas.
abstract contract Wrappers is Program {
    /// @dev Less came than the plan asks for. Units of the token that was inside.
    error LostInUnwrapping(address wrapper, uint256 got, uint256 least);

    /// @param amount Units of the wrapper, which lie here.
    /// @param least Units of `tokenOut` that must arrive.
    function _unwrap(address wrapper, address tokenOut, uint256 amount, uint256 least) internal {
        Kind kind = kindOf[wrapper];
        uint256 before = _held(tokenOut);
        if (kind == Kind.Erc4626) IErc4626(wrapper).redeem(amount, address(this), address(this));
        else if (kind == Kind.Unwrapper) IUnwrapper(wrapper).unwrap(amount);
        else revert UnknownCounterparty(wrapper);
        uint256 got = _held(tokenOut) - before;
        if (got < least) revert LostInUnwrapping(wrapper, got, least);
    }
}
