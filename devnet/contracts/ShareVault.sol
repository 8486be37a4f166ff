// SPDX-License-Identifier: MIT
pragma solidity 0.8.27;

import {ERC20} from "@openzeppelin/contracts/token/ERC20/ERC20.sol";
import {ERC4626} from "@openzeppelin/contracts/token/ERC20/extensions/ERC4626.sol";
import {IERC20} from "@openzeppelin/contracts/token/ERC20/IERC20.sol";

/// OpenZeppelin's vault over any token, with what real ones add: a limit of what leaves at once, and losses. It answers
/// as wstETH does, too: `unwrap` gives what `redeem` gives.
contract ShareVault is ERC4626 {
    uint256 private most = type(uint256).max;

    constructor(IERC20 inside) ERC4626(inside) ERC20("Shares", "SHARE") {}

    /// @param shares The most that leaves at once; 0 is a pause.
    function setMost(uint256 shares) external {
        most = shares;
    }

    /// Takes assets away, so that a share is worth less. To gain, send assets here.
    function lose(uint256 assets) external {
        IERC20(asset()).transfer(address(0xdead), assets);
    }

    function maxRedeem(address owner) public view override returns (uint256) {
        uint256 shares = super.maxRedeem(owner);
        return shares < most ? shares : most;
    }

    function stETH() external view returns (address) {
        return asset();
    }

    function getStETHByWstETH(uint256 shares) external view returns (uint256) {
        return previewRedeem(shares);
    }

    function unwrap(uint256 shares) external returns (uint256) {
        return redeem(shares, msg.sender, msg.sender);
    }
}
